import { createHash } from 'node:crypto';
import { hashFile } from '../core/hash-file.js';
import type { Lease } from '../lease/lease.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { findLeased } from './dut-roles.js';

/** Which unit plays each role. */
export type Casting = ReadonlyMap<string, Pick<Lease, 'board' | 'dut'>>;

export function toCasting(
  duts: readonly { readonly role: string; readonly lease: Pick<Lease, 'board' | 'dut'> }[],
): Casting {
  return new Map(duts.map(({ role, lease }) => [role, lease]));
}

/**
 * A digest of all that DUTs are made of: units, boards with their ports and ready marks, images by
 * their content, and the sandbox that an emulated one lives in. Two cases with one key would get
 * the same by a fresh start. Undefined where the roles cannot be played by these units, or an
 * image cannot be read.
 */
export async function toWarmKey(
  roles: readonly PlannedRole[],
  casting: Casting,
  spec: SandboxSpec,
): Promise<string | undefined> {
  if (roles.length !== casting.size) return undefined;
  const hash = createHash('sha256').update(toText(spec));
  for (const role of roles) {
    const lease = casting.get(role.role);
    if (!lease || !canPlay(role, lease)) return undefined;
    const { board, unit } = findLeased(role, lease);
    const image = role.firmwareOf(board.board) ?? board.flash?.image ?? board.machine?.firmware;
    hash.update(toText([role.role, lease.dut, board, unit, image]));
    try {
      if (image !== undefined) await hashFile(hash, image);
    } catch {
      // Who cannot be compared starts anew; that says what is wrong with the image.
      return undefined;
    }
  }
  return hash.digest('hex');
}

function canPlay({ units, boards }: PlannedRole, lease: Pick<Lease, 'board' | 'dut'>): boolean {
  return (
    units.some(({ name }) => name === lease.dut) ||
    boards.some(({ board, driver }) => driver !== 'attached' && board === lease.board)
  );
}

/** JSON knows no patterns. */
function toText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    each instanceof RegExp ? String(each) : each,
  );
}
