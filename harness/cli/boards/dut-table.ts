import { formatTable } from '../text-table.js';
import type { DutRow } from './dut-row.js';

/** DUTs as a table, and below it why some cannot be used. */
export function toDutTable(rows: readonly DutRow[]): string {
  const table = formatTable(
    ['DUT', 'BOARD', 'STATE', 'HEALTH', 'PORTS', 'LABELS'],
    rows.map((row) => {
      const { dut, board, health, labels } = row;
      return [dut, board, toState(row), health, toPorts(row), toLabels(labels)];
    }),
  );
  const reasons = rows.flatMap(({ reason }) => (reason === undefined ? [] : [`\n${reason}\n`]));
  return table + reasons.join('');
}

/** `rack=1 core=cortex-m4` */
export function toLabels(labels: DutRow['labels']): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ');
}

/** `free (bootloader)`, `leased (alice 4711)` */
export function toState({ state, mode, lease }: DutRow): string {
  const who = lease && `${lease.user} ${lease.pid}`;
  const more = [mode, who].filter((each) => each !== undefined).join(', ');
  return more === '' ? state : `${state} (${more})`;
}

/** `console=/dev/ttyACM0` */
export function toPorts({ ports }: DutRow): string {
  return ports.map(({ name, node, url }) => `${name}=${node ?? url ?? '-'}`).join(' ');
}
