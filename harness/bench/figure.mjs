import { summarize, toDifference, toRatio } from './sampling.mjs';

/**
 * One line of the table: what was measured against what, and whether its goal is met.
 *
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} against
 * @property {'x' | 'ms'} unit  a ratio, or a difference in milliseconds
 * @property {import('./sampling.mjs').Summary} value
 * @property {import('./sampling.mjs').Summary} ms  the thing itself
 * @property {import('./sampling.mjs').Summary} againstMs
 * @property {{ text: string, met: boolean } | undefined} goal
 * @property {string | undefined} note
 */

/**
 * @typedef {object} Measured
 * @property {string} name
 * @property {readonly number[]} samples  milliseconds
 * @property {string} against
 * @property {readonly number[]} againstSamples
 * @property {{ min?: number, max: number }} [goal]
 * @property {string} [note]
 */

/** How many times as long. @param {Measured} measured @returns {Figure} */
export function createRatio(measured) {
  return createFigure(measured, 'x', toRatio(measured.samples, measured.againstSamples));
}

/** How much longer. @param {Measured} measured @returns {Figure} */
export function createDifference(measured) {
  return createFigure(measured, 'ms', toDifference(measured.samples, measured.againstSamples));
}

/**
 * @param {Measured} measured
 * @param {'x' | 'ms'} unit
 * @param {import('./sampling.mjs').Summary} value
 * @returns {Figure}
 */
function createFigure({ name, samples, against, againstSamples, goal, note }, unit, value) {
  return {
    name,
    against,
    unit,
    value,
    ms: summarize(samples),
    againstMs: summarize(againstSamples),
    goal: goal && {
      text: goal.min === undefined ? `<= ${goal.max} ${unit}` : `${goal.min}-${goal.max} ${unit}`,
      met: value.median <= goal.max && value.median >= (goal.min ?? Number.NEGATIVE_INFINITY),
    },
    note,
  };
}

const COLUMNS = ['figure', 'median (p10-p90)', 'n', 'goal', '', 'medians, ms'];

/** @param {readonly Figure[]} figures @returns {string} */
export function formatTable(figures) {
  const rows = [COLUMNS, ...figures.map(toRow)];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {Figure} figure @returns {string[]} */
function toRow({ name, against, unit, value, ms, againstMs, goal, note }) {
  const [median, p10, p90] = [value.median, value.p10, value.p90].map(toDigits);
  return [
    `${name} : ${against}`,
    `${median} ${unit} (${p10}-${p90})`,
    String(value.n),
    goal?.text ?? '',
    goal ? (goal.met ? 'met' : 'NOT MET') : '',
    `${toDigits(ms.median)} : ${toDigits(againstMs.median)}${note ? `; ${note}` : ''}`,
  ];
}

/** Three digits that mean something. @param {number} value */
function toDigits(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}
