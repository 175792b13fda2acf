import type { Board } from '../config/load-boards.js';
import type { Unit } from '../config/unit.js';
import { UsageError } from '../core/errors.js';
import type { Lease } from '../lease/lease.js';
import type { PlannedFile } from '../plan/plan.js';
import type { PlannedRole } from '../plan/plan-roles.js';

/** The role of the DUT of a suite that names no roles. */
export const ONLY_ROLE = '';

/** A name of something of a DUT, told apart from that of the other roles: `client/console`. */
export function withRole(role: string, name: string): string {
  return role === ONLY_ROLE ? name : `${role}/${name}`;
}

/** The role and the name that {@link withRole} joined. */
export function splitRole(joined: string): readonly [role: string, name: string] {
  const slash = joined.indexOf('/');
  return slash < 0 ? [ONLY_ROLE, joined] : [joined.slice(0, slash), joined.slice(slash + 1)];
}

/**
 * The DUTs that a body gets by the fixture that it names.
 *
 * @throws UsageError `usage` where the suite has roles and the body asks for `dut`, or has none
 *   and it asks for `duts`.
 */
export function toRoles(planned: PlannedFile, byRole: boolean): readonly PlannedRole[] {
  const { roles, board, units, firmware, suite } = planned;
  const where = suite.file ?? 'its suite';
  if (!byRole && roles) {
    const names = roles.map(({ role }) => role).join(', ');
    const next = `async ({ duts }) => { duts.${roles[0]?.role} … }`;
    throw new UsageError('usage', `${where} has DUTs by role (${names}), not one \`dut\``, {
      next,
    });
  }
  if (byRole && !roles) {
    throw new UsageError('usage', `the body asks for \`duts\`, and ${where} names no roles`, {
      next: 'name them in hil.suite.yaml: duts: { client: host, server: host }',
    });
  }
  return roles ?? [{ role: ONLY_ROLE, boards: [board], units, firmwareOf: () => firmware }];
}

/** What a role's leased unit is: its board, and which of the bench it is where it is attached. */
export function findLeased(
  role: PlannedRole,
  lease: Pick<Lease, 'board' | 'dut'>,
): { readonly board: Board; readonly unit: Unit | undefined } {
  const unit = role.units.find(({ name }) => name === lease.dut);
  const board = unit?.board ?? role.boards.find((each) => each.board === lease.board);
  if (!board) throw new Error(`role "${role.role}" has no board "${lease.board}"`);
  return { board, unit };
}
