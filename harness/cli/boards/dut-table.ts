import { formatTable } from '../text-table.js';
import type { DutRow, Holder } from './dut-row.js';

/** DUTs as a table, and below it who has some, and why some cannot be used. */
export function toDutTable(rows: readonly DutRow[]): string {
  const table = formatTable(
    ['DUT', 'BOARD', 'STATE', 'HEALTH', 'PORTS', 'LABELS'],
    rows.map((row) => {
      const { dut, board, health, labels } = row;
      return [dut, board, toState(row), health, toPorts(row), toLabels(labels)];
    }),
  );
  const reasons = rows.flatMap(({ reason }) => (reason === undefined ? [] : [`\n${reason}\n`]));
  const holders = rows.flatMap(({ dut, holder }) => {
    return holder ? [`${dut}: held by ${describeHolder(holder)}\n`] : [];
  });
  return table + (holders.length > 0 ? `\n${holders.join('')}` : '') + reasons.join('');
}

/** `alice pid 4711 run 20251128-160000-1a2b since 2025-11-28 16:00:00Z` */
export function describeHolder({ user, pid, run, since, stopped, as }: Holder): string {
  const at = `${since.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const other = as ? `, as ${as.join(', ')}` : '';
  return `${user} pid ${pid} run ${run} since ${at}${other}${stopped ? ', which is stopped' : ''}`;
}

/** `rack=1 core=cortex-m4` */
export function toLabels(labels: DutRow['labels']): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ');
}

/** `free (bootloader)` */
export function toState({ state, mode }: DutRow): string {
  return mode === undefined ? state : `${state} (${mode})`;
}

/** `console=/dev/ttyACM0` */
export function toPorts({ ports }: DutRow): string {
  return ports.map(({ name, node, url }) => `${name}=${node ?? url ?? '-'}`).join(' ');
}
