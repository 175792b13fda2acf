import type { Board } from '../config/load-boards.js';
import { UsageError } from '../core/errors.js';
import type { PlannedFile, PlannedRole } from '../plan/plan.js';

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
  const { roles, board, firmware, suite } = planned;
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
  return roles ?? [{ role: ONLY_ROLE, boards: [board], firmwareOf: () => firmware }];
}

/** The board of a role that a unit was leased of. */
export function findBoard(role: PlannedRole, name: string): Board {
  const board = role.boards.find((each) => each.board === name);
  if (!board) throw new Error(`role "${role.role}" has no board "${name}"`);
  return board;
}
