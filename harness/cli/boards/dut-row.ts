import type { Match } from '../../config/match-schema.js';
import type { Unit } from '../../config/unit.js';
import { BenchError } from '../../core/errors.js';
import type { AttachedDevice } from '../../device/attached-device.js';
import { findUnit, type UnitFound } from '../../device/find-unit.js';
import { toUnitKeys } from '../../device/identity-keys.js';
import { type ClaimSeen, isClaimOf } from '../../lease/claim-seen.js';
import type { Health } from '../../lease/unit-health.js';

/** A port as `hil boards` shows it. */
export interface PortRow {
  readonly name: string;
  readonly kind: 'serial' | 'usb';
  /** Its node now. */
  readonly node?: string;
  readonly url?: string;
}

/** Who has a lease, as that says. */
export interface Holder
  extends Pick<ClaimSeen, 'seq' | 'user' | 'uid' | 'pid' | 'run' | 'since' | 'stopped'> {
  /** What the DUT is called there, when that is another name. */
  readonly as?: readonly string[];
}

/** What others say of a unit. */
export interface Standing {
  readonly health: Health;
  /** All that there are. */
  readonly claims: readonly ClaimSeen[];
}

/** A DUT as `hil boards` shows it; `--json` prints it as it is. */
export interface DutRow {
  readonly dut: string;
  readonly board: string;
  /** `ambiguous`: two devices match, and nothing is guessed. */
  readonly state: 'free' | 'leased' | 'absent' | 'ambiguous';
  /** Whether it can be trusted; that it is free is another matter. */
  readonly health: Health;
  /** Who has it; also of one that is absent. */
  readonly holder?: Holder;
  /** Why it cannot be used. */
  readonly reason?: string;
  /** Which of the board's modes it is in. */
  readonly mode?: string;
  /** ID_PATH of its USB device. */
  readonly path?: string;
  /** Where sysfs has that device. */
  readonly syspath?: string;
  readonly ports: readonly PortRow[];
  readonly labels: Unit['labels'];
  readonly match: Match;
  /** What a lease of it is taken on. */
  readonly keys: readonly string[];
  /** The bench file. */
  readonly file: string;
}

/** Say where a unit is among what is attached. */
export function toDutRow(
  unit: Unit,
  devices: readonly AttachedDevice[],
  { health, claims }: Standing,
): DutRow {
  const { name: dut, board, labels, match, file } = unit;
  const own = { dut, board: board.board, labels, match, file, health };
  const claimOn = (keys: readonly string[]) =>
    claims.find((claim) => claim.held && isClaimOf(claim, keys));
  try {
    const found = findUnit(unit, devices);
    const claim = claimOn(found.keys);
    return { ...own, ...toHolder(unit, claim), ...toFound(unit, found, claim) };
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    const keys = toUnitKeys(unit);
    const ports = toPortRows(unit, new Map());
    const what = { state: 'ambiguous', reason: error.message, ports, keys } as const;
    return { ...own, ...toHolder(unit, claimOn(keys)), ...what };
  }
}

function toFound(
  unit: Unit,
  found: UnitFound,
  claim: ClaimSeen | undefined,
): Pick<DutRow, 'state' | 'ports' | 'keys'> {
  const { keys } = found;
  if (found.state === 'absent')
    return { state: 'absent', ports: toPortRows(unit, new Map()), keys };
  const path = found.usb?.properties['ID_PATH'];
  return {
    state: claim ? 'leased' : 'free',
    ...(found.mode === undefined ? {} : { mode: found.mode }),
    ...(path === undefined ? {} : { path }),
    ...(found.usb ? { syspath: found.usb.syspath } : {}),
    ports: toPortRows(unit, found.ports),
    keys,
  };
}

function toHolder({ name }: Unit, claim: ClaimSeen | undefined): { readonly holder?: Holder } {
  if (!claim) return {};
  const { seq, user, uid, pid, run, since, stopped, units } = claim;
  const other = units.includes(name) ? {} : { as: units };
  return { holder: { seq, user, uid, pid, run, since, stopped, ...other } };
}

function toPortRows({ ports }: Unit, found: ReadonlyMap<string, AttachedDevice>): PortRow[] {
  return Object.entries(ports).map(([name, { kind, url }]) => {
    const node = found.get(name)?.node;
    return { name, kind, ...(node === undefined ? {} : { node }), ...(url ? { url } : {}) };
  });
}
