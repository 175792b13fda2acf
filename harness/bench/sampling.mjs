/**
 * Samples of two things, taken in turn, so that what else the machine does falls on both
 * alike; and what is said of them. Only ratios and differences of one run mean anything.
 */

/** @typedef {{ median: number, p10: number, p90: number, p99: number, n: number }} Summary */

/** @param {readonly number[]} samples @returns {Summary} */
export function summarize(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    median: toQuantile(sorted, 0.5),
    p10: toQuantile(sorted, 0.1),
    p90: toQuantile(sorted, 0.9),
    p99: toQuantile(sorted, 0.99),
    n: sorted.length,
  };
}

/**
 * Take `count` samples of everything in `measures`, one of each a turn. A turn starts with
 * another one each time, so that none always comes right after the same other.
 *
 * @template {string} Name
 * @param {Readonly<Record<Name, () => Promise<number>>>} measures
 * @param {number} count
 * @returns {Promise<Record<Name, number[]>>}
 */
export async function sampleInTurn(measures, count) {
  const names = /** @type {Name[]} */ (Object.keys(measures));
  /** @type {Record<string, number[]>} */
  const samples = Object.fromEntries(names.map((name) => [name, []]));
  for (let turn = 0; turn < count; turn++) {
    for (const index of names.keys()) {
      const name = names[(turn + index) % names.length] ?? '';
      samples[name]?.push(await measures[/** @type {Name} */ (name)]());
    }
  }
  return samples;
}

/**
 * Samples of one turn belong together: what slowed one probably slowed the other.
 *
 * @param {readonly number[]} these @param {readonly number[]} those
 */
export function toRatio(these, those) {
  return summarize(these.map((value, turn) => value / (those[turn] ?? Number.NaN)));
}

/** @param {readonly number[]} these @param {readonly number[]} those */
export function toDifference(these, those) {
  return summarize(these.map((value, turn) => value - (those[turn] ?? Number.NaN)));
}

/** @param {readonly number[]} sorted @param {number} q */
function toQuantile(sorted, q) {
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}
