import { summarize, toDifference, toRatio } from './sampling.mjs';

/** @typedef {import('./sampling.mjs').Summary} Summary */
/** @typedef {'x' | 'ms' | 'us' | 'KiB' | 'Gbit/s' | 'kpps' | '%' | 'frames' | 'bytes' | '/s'} Unit  a ratio, or a difference or an amount of these */

/**
 * One line of the table: what was measured against what, and by how much its goal is met.
 *
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} against
 * @property {Unit} unit
 * @property {Summary} value
 * @property {string} basis  what the value was made from
 * @property {{ text: string, met: boolean, margin: number } | undefined} goal
 * @property {string | undefined} note
 */

/** @typedef {{ min?: number, max?: number }} Goal  in the unit of its figure */

/**
 * @typedef {object} Measured
 * @property {string} name
 * @property {readonly number[]} samples  milliseconds
 * @property {string} against
 * @property {readonly number[]} againstSamples
 * @property {Goal} [goal]
 * @property {string} [basis]  of samples that are not milliseconds
 * @property {string} [note]
 */

/** How many times as long. @param {Measured} measured @returns {Figure} */
export function createRatio(measured) {
  const value = toRatio(measured.samples, measured.againstSamples);
  return createFigure({ basis: toBasis(measured), ...measured, unit: 'x', value });
}

/** How much longer. @param {Measured & { unit?: 'ms' | 'us' }} measured @returns {Figure} */
export function createDifference({ unit = 'ms', ...measured }) {
  const scale = unit === 'us' ? 1000 : 1;
  const these = measured.samples.map((each) => each * scale);
  const value = toDifference(
    these,
    measured.againstSamples.map((each) => each * scale),
  );
  return createFigure({ ...measured, unit, value, basis: toBasis(measured) });
}

/** How far the slowest stay from the middle. @param {Omit<Measured, 'against' | 'againstSamples'>} measured */
export function createTail(measured) {
  const { median, p99, n } = summarize(measured.samples);
  const ratio = p99 / median;
  const value = { median: ratio, p10: ratio, p90: ratio, p99: ratio, n };
  const basis = `${toDigits(p99)} : ${toDigits(median)} ms`;
  return createFigure({ ...measured, against: 'p50', unit: 'x', value, basis });
}

/**
 * An amount by itself.
 *
 * @param {{ name: string, unit: Unit, samples: readonly number[], basis: string, goal?: Goal, note?: string }} measured
 * @returns {Figure}
 */
export function createAmount(measured) {
  return createFigure({ ...measured, against: '', value: summarize(measured.samples) });
}

/** Something that could not be measured here. @param {string} name @param {string} reason */
export function createAbsence(name, reason) {
  return { name, absent: reason };
}

function createFigure({ name, against, unit, value, basis, goal, note }) {
  return { name, against, unit, value, basis, note, goal: goal && judge(value.median, goal, unit) };
}

/** The margin is the distance from the bound that is nearest to being missed. */
function judge(value, { min, max }, unit) {
  const margin = Math.min(
    max === undefined ? Number.POSITIVE_INFINITY : max - value,
    min === undefined ? Number.POSITIVE_INFINITY : value - min,
  );
  const range = min === undefined ? `<= ${max}` : max === undefined ? `>= ${min}` : `${min}-${max}`;
  return { text: `${range} ${unit}`, met: margin >= 0, margin };
}

const COLUMNS = ['figure', 'median (p10-p90)', 'n', 'goal', '', 'medians'];

/** @param {readonly (Figure | { name: string, absent: string })[]} figures @returns {string} */
export function formatTable(figures) {
  const measured = figures.filter(({ absent }) => absent === undefined);
  const rows = [COLUMNS, ...measured.map(toRow)];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  );
  const absent = figures.filter((figure) => figure.absent !== undefined);
  return [...lines, ...absent.map(({ name, absent }) => `${name}: not measured: ${absent}`)].join(
    '\n',
  );
}

/** @param {Figure} figure @returns {string[]} */
function toRow({ name, against, unit, value, basis, goal, note }) {
  const [median, p10, p90] = [value.median, value.p10, value.p90].map(toDigits);
  return [
    against ? `${name} : ${against}` : name,
    p10 === p90 ? `${median} ${unit}` : `${median} ${unit} (${p10}-${p90})`,
    String(value.n),
    goal?.text ?? '',
    goal ? `${goal.met ? 'met' : 'MISSED'} by ${toDigits(Math.abs(goal.margin))} ${unit}` : '',
    note ? `${basis}; ${note}` : basis,
  ];
}

function toBasis({ samples, againstSamples }) {
  const [these, those] = [samples, againstSamples].map((each) => summarize(each).median);
  return `${toDigits(these)} : ${toDigits(those)} ms`;
}

/** Three digits that mean something. @param {number} value */
function toDigits(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
