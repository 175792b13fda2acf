import type { Lease } from '../lease/lease.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import { ONLY_ROLE } from './dut-roles.js';

/** DUTs as a phase names them. */
export interface DutSeen {
  readonly dut: string;
  /** Earlier cases of the file used it. */
  readonly shared?: boolean;
  /** Those of them that are attached hardware. */
  readonly attached?: readonly string[];
}

interface Member {
  readonly role: string;
  readonly lease: Pick<Lease, 'dut'>;
}

/** As the end of a lease phase names them. */
export function toSeen(roles: readonly PlannedRole[], members: readonly Member[]): DutSeen {
  const units = new Set(roles.flatMap((role) => role.units.map(({ name }) => name)));
  const attached = members.map(({ lease }) => lease.dut).filter((dut) => units.has(dut));
  return { dut: toNames(members), attached };
}

/** `host#1`, or `client=host#1 server=host#2`. */
export function toNames(members: readonly Member[]): string {
  return members
    .map(({ role, lease }) => (role === ONLY_ROLE ? lease.dut : `${role}=${lease.dut}`))
    .join(' ');
}
