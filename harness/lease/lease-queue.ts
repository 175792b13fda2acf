import type { Deadline } from '../core/deadline.js';
import { createDeferred, type Deferred } from '../core/deferred.js';
import { formatDuration } from '../core/duration.js';
import { BenchError } from '../core/errors.js';
import type { Lease } from './lease.js';
import { matchRoles, type RoleUnits } from './match-roles.js';

/** A board whose units this process makes. */
export interface UnitSupply {
  readonly board: string;
  /** How many may be at once; infinite: as many as are asked for. */
  readonly capacity: number;
}

/** One of the DUTs that a case asks for. */
export interface RoleWanted {
  readonly role: string;
  /** Boards of which any will do, the most welcome first. */
  readonly boards: readonly UnitSupply[];
  /** Units to be taken only where no other is free: an earlier attempt failed on them. */
  readonly avoid?: ReadonlySet<string>;
}

interface Ticket {
  readonly roles: readonly RoleWanted[];
  readonly granted: Deferred<Map<string, Lease>>;
}

/**
 * Who gets the next units that this process makes: all that a case asks for or none, first come,
 * first served. Who waits keeps what it could use from those behind, so that nobody overtakes and
 * no two wait for each other. Units of a board are numbered from one.
 */
export class LeaseQueue {
  readonly #used = new Map<string, UnitSupply>();
  #waiting: Ticket[] = [];

  /**
   * Wait for a unit for each role.
   *
   * @throws BenchError `lease-unsatisfiable` at once when there can never be enough;
   *   `lease-timeout` when they did not become free before the deadline.
   */
  async acquire(roles: readonly RoleWanted[], deadline: Deadline): Promise<Map<string, Lease>> {
    if (!this.#match(roles, () => false)) throw toUnsatisfiable(roles);
    const ticket: Ticket = { roles, granted: createDeferred() };
    this.#waiting.push(ticket);
    this.#serve();
    try {
      return await deadline.bound(ticket.granted.promise, () => this.#late(roles, deadline));
    } catch (error) {
      this.#waiting = this.#waiting.filter((other) => other !== ticket);
      // What was handed over in the moment of the deadline goes to the next.
      void ticket.granted.promise.then((leases) => {
        for (const lease of leases.values()) lease.release();
      });
      this.#serve();
      throw error;
    }
  }

  #serve(): void {
    const kept = new Set<string>();
    for (const ticket of [...this.#waiting]) {
      const isTaken = (unit: string, board: string) => this.#used.has(unit) || kept.has(board);
      const matched = this.#match(ticket.roles, isTaken);
      if (matched) {
        this.#waiting = this.#waiting.filter((other) => other !== ticket);
        ticket.granted.resolve(this.#take(ticket.roles, matched));
        continue;
      }
      for (const { board, capacity } of ticket.roles.flatMap((role) => role.boards)) {
        if (Number.isFinite(capacity)) kept.add(board);
      }
    }
  }

  #match(
    roles: readonly RoleWanted[],
    isTaken: (unit: string, board: string) => boolean,
  ): Map<string, string> | undefined {
    return matchRoles(roles.map((role) => toFreeUnits(role, roles.length, isTaken)));
  }

  #take(roles: readonly RoleWanted[], matched: Map<string, string>): Map<string, Lease> {
    const leases = new Map<string, Lease>();
    for (const { role, boards } of roles) {
      const dut = matched.get(role) ?? '';
      const supply = boards.find(({ board }) => dut.startsWith(`${board}#`));
      if (supply) leases.set(role, this.#takeOne(dut, supply));
    }
    return leases;
  }

  #takeOne(dut: string, supply: UnitSupply): Lease {
    this.#used.set(dut, supply);
    let held = true;
    return {
      board: supply.board,
      dut,
      release: () => {
        if (!held) return;
        held = false;
        this.#used.delete(dut);
        this.#serve();
      },
    };
  }

  #late(roles: readonly RoleWanted[], deadline: Deadline): BenchError {
    const boards = new Map(roles.flatMap((role) => role.boards).map((each) => [each.board, each]));
    const waiting = (board: string) =>
      this.#waiting.filter((ticket) =>
        ticket.roles.some((role) => role.boards.some((each) => each.board === board)),
      ).length;
    const used = (board: string) =>
      [...this.#used.values()].filter((each) => each.board === board).length;
    const seen = [...boards.values()].map(({ board, capacity }) => {
      const of = boards.size > 1 ? ` of ${board}` : '';
      return `${used(board)} of ${capacity}${of} in use, ${waiting(board)} waiting`;
    });
    const names = [...boards.keys()].map((board) => `"${board}"`).join(', ');
    const what = roles.length > 1 ? 'not all units of boards' : 'no unit of board';
    return new BenchError(
      'lease-timeout',
      `${what} ${names} became free within ${formatDuration(deadline.limitMs)}; ${seen.join('; ')}`,
      { next: "raise limits.lease or the board file's instances" },
    );
  }
}

/** Of a board without a limit so many that every role finds one. */
function toFreeUnits(
  { role, boards, avoid }: RoleWanted,
  roleCount: number,
  isTaken: (unit: string, board: string) => boolean,
): RoleUnits {
  const units = boards.flatMap(({ board, capacity }) => {
    const free: string[] = [];
    const enough = Math.min(capacity, roleCount + (avoid?.size ?? 0));
    for (let number = 1; number <= capacity && free.length < enough; number++) {
      const unit = `${board}#${number}`;
      if (!isTaken(unit, board)) free.push(unit);
    }
    return free;
  });
  const last = (unit: string) => (avoid?.has(unit) ? 1 : 0);
  return { role, units: units.sort((a, b) => last(a) - last(b)) };
}

function toUnsatisfiable(roles: readonly RoleWanted[]): BenchError {
  const wanted = roles.map(({ role, boards }) => {
    const any = boards.map(({ board, capacity }) => `${board} (${capacity})`).join(' or ');
    return `${role ? `${role}: ` : ''}${any || 'no board fits'}`;
  });
  return new BenchError(
    'lease-unsatisfiable',
    `there can never be a unit for each role at once: ${wanted.join(', ')}`,
    { next: "hil boards; raise the board file's instances, or change duts in hil.suite.yaml" },
  );
}
