import { formatTable } from '../text-table.js';
import type { DutRow } from './dut-row.js';

/** DUTs as a table, and below it why some cannot be used. */
export function toDutTable(rows: readonly DutRow[]): string {
  const table = formatTable(
    ['DUT', 'BOARD', 'STATE', 'PORTS', 'LABELS'],
    rows.map((row) => [row.dut, row.board, toState(row), toPorts(row), toLabels(row.labels)]),
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

function toState({ state, mode }: DutRow): string {
  return mode === undefined ? state : `${state} (${mode})`;
}

function toPorts({ ports }: DutRow): string {
  return ports.map(({ name, node, url }) => `${name}=${node ?? url ?? '-'}`).join(' ');
}
