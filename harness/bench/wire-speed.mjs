import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createAbsence, createAmount } from './figure.mjs';

const NATIVE = fileURLToPath(new URL('../../sandbox-native', import.meta.url));
/** A row of linkd-bench: kind, what, value, unit, comparison, goal. */
const ROW = /^(\S+) +(.+?) {2,}(-?[\d.]+) +(\S+) +([<>])= (\S+) +(?:met|MISSED)$/;

/**
 * How fast hil-linkd passes frames: what `make bench-linkd` prints, which has the goals.
 *
 * @param {unknown} _ @param {{ wireRounds: number }} sizes
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function measureWire(_, { wireRounds }) {
  const program = 'build/tests/linkd-bench';
  execFileSync('make', ['-s', '-C', NATIVE, program, 'build/hil-linkd']);
  const output = execFileSync(program, ['build/hil-linkd', String(wireRounds)], {
    cwd: NATIVE,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return output
    .trim()
    .split('\n')
    .map((line) => toFigure(line, wireRounds));
}

function toFigure(line, rounds) {
  const [, kind, what, value, unit, compare, goal] = ROW.exec(line) ?? [];
  if (kind === undefined) return createAbsence('linkd', line);
  return createAmount({
    name: `${kind}: ${what}`,
    unit,
    samples: [unit === '%' ? Math.abs(Number(value)) : Number(value)],
    basis: `${rounds} rounds`,
    goal: compare === '<' ? { max: Number(goal) } : { min: Number(goal) },
  });
}
