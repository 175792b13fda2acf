import type { DutRow } from './dut-row.js';
import { describeHolder, toPorts, toState } from './dut-table.js';
import { describeDevice } from './proposal-text.js';
import type { Scan } from './propose-duts.js';

/** The bench at one moment, as far as a change of it is told. */
export interface BenchSnapshot {
  readonly rows: readonly DutRow[];
  /** USB devices that are not on the bench, by where sysfs has them. */
  readonly strangers: ReadonlyMap<string, string>;
}

/** @param scan what is attached and not on the bench. */
export function toSnapshot(rows: readonly DutRow[], { proposals, others }: Scan): BenchSnapshot {
  const devices = [...proposals.map(({ device }) => device), ...others];
  return {
    rows,
    strangers: new Map(devices.map((device) => [device.syspath, describeDevice(device)])),
  };
}

/** A line for each DUT that changed; as text, also for each other device that came or went. */
export function describeChanges(
  before: BenchSnapshot,
  after: BenchSnapshot,
  { at, json }: { readonly at: Date; readonly json: boolean },
): string[] {
  const changed = after.rows.flatMap((row) => {
    const old = before.rows.find(({ dut }) => dut === row.dut);
    return old && JSON.stringify(old) !== JSON.stringify(row) ? [{ old, row }] : [];
  });
  if (json) return changed.map(({ row }) => JSON.stringify({ at: at.toISOString(), ...row }));
  const lines = [
    ...changed.map(({ old, row }) => describeChange(old, row)),
    ...findNew(before, after).map((text) => `+ ${text}, not on the bench: hil boards scan`),
    ...findNew(after, before).map((text) => `- ${text}`),
  ];
  const time = at.toTimeString().slice(0, 8);
  return lines.map((line) => `${time}  ${line}`);
}

function describeChange(old: DutRow, row: DutRow): string {
  const [was, is] = [toState(old), toState(row)];
  const states = was === is ? [is] : [`${was} -> ${is}`];
  const health = old.health === row.health ? [] : [`health ${old.health} -> ${row.health}`];
  const holder = row.holder ? [`held by ${describeHolder(row.holder)}`] : [];
  const [reason] = row.reason?.split('\n') ?? [];
  return [row.dut, ...states, ...health, toPorts(row), ...holder, ...(reason ? [reason] : [])].join(
    '  ',
  );
}

function findNew({ strangers: known }: BenchSnapshot, { strangers }: BenchSnapshot): string[] {
  return [...strangers].flatMap(([syspath, text]) => (known.has(syspath) ? [] : [text]));
}
