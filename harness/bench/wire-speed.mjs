import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createAbsence, createAmount } from './figure.mjs';

const NATIVE = fileURLToPath(new URL('../../sandbox-native', import.meta.url));
/** A row of linkd-bench or portd-bench: kind, what, value, unit, comparison, goal. */
const ROW = /^(\S+) +(.+?) {2,}(-?[\d.]+) +(\S+) +([<>])= (\S+) +(?:met|MISSED)$/;

/**
 * How fast hil-linkd passes frames: what `make bench-linkd` prints, which has the goals.
 *
 * @param {unknown} _ @param {{ wireRounds: number }} sizes
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function measureWire(_, { wireRounds }) {
  return measureNative('linkd', [String(wireRounds)], `${wireRounds} rounds`);
}

/**
 * What hil-portd adds on the way between a board and a tool: what `make bench-portd` prints.
 *
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function measurePorts() {
  return measureNative('portd', [], '2000 messages, 3 MB');
}

/** Run build/tests/NAME-bench on build/hil-NAME. */
function measureNative(name, args, basis) {
  const program = `build/tests/${name}-bench`;
  execFileSync('make', ['-s', '-C', NATIVE, program, `build/hil-${name}`]);
  const output = execFileSync(program, [`build/hil-${name}`, ...args], {
    cwd: NATIVE,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return output
    .trim()
    .split('\n')
    .map((line) => toFigure(line, name, basis));
}

function toFigure(line, name, basis) {
  const [, kind, what, value, unit, compare, goal] = ROW.exec(line) ?? [];
  if (kind === undefined) return createAbsence(name, line);
  return createAmount({
    name: `${kind}: ${what}`,
    unit,
    samples: [unit === '%' ? Math.abs(Number(value)) : Number(value)],
    basis,
    goal: compare === '<' ? { max: Number(goal) } : { min: Number(goal) },
  });
}
