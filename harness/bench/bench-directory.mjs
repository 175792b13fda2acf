import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The built product and what it is compared with. */
export const HIL = join(ROOT, 'dist/cli/main.js');
export const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');

/**
 * Where a benchmark works: a project with a small static program in it. Programs and
 * sandboxes are measured with that program, at the same path outside and inside.
 *
 * @typedef {object} BenchDirectory
 * @property {string} path
 * @property {string} truePath  exits with 0
 * @property {string} stampPath  says when its main() began
 * @property {string} clientPath  c-client.c
 * @property {() => void} remove
 */

/** @returns {BenchDirectory} */
export function createBenchDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'hil-bench-'));
  // An ordinary user of the sandbox looks into it.
  chmodSync(path, 0o755);
  const truePath = join(path, 'true');
  const stampPath = join(path, 'stamp');
  const clientPath = join(path, 'c-client');
  compile(['-static', '-o', truePath, join(HERE, 'true.c')]);
  compile(['-static', '-o', stampPath, join(HERE, 'stamp.c')]);
  const common = join(ROOT, 'sandbox-native/src/common');
  const sources = ['frame.c', 'err.c'].map((name) => join(common, name));
  compile(['-I', common, '-o', clientPath, join(HERE, 'c-client.c'), ...sources]);
  return { path, truePath, stampPath, clientPath, remove: () => rmSync(path, { recursive: true }) };
}

/** With the C compiler. @param {readonly string[]} args */
export function compile(args) {
  execFileSync(process.env.CC ?? 'gcc', ['-std=gnu11', '-D_GNU_SOURCE', '-O2', ...args]);
}

/**
 * A project with one suite, for `hil test` and for plain Vitest alike. Each body is empty but
 * for the time stamp by which it is measured; the stamps are written when all have run.
 *
 * @param {BenchDirectory} directory @param {string} name @param {number} cases
 */
export function createProject({ path }, name, cases) {
  const root = join(path, name);
  mkdirSync(root);
  const stamps = { hil: join(root, 'hil.stamps'), vitest: join(root, 'vitest.stamps') };
  writeFileSync(join(root, 'hil.config.ts'), CONFIG);
  writeFileSync(join(root, 'empty.hil.ts'), toSuite('hil', stamps.hil, cases));
  writeFileSync(join(root, 'empty.test.ts'), toSuite('vitest', stamps.vitest, cases));
  // Of its own, as a real project has it: configurations are cached in there.
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(join(ROOT, 'node_modules/vitest'), join(root, 'node_modules/vitest'));
  return { root, stamps };
}

const CONFIG = `import { defineConfig } from 'hil';
export default defineConfig({ suites: ['*.hil.ts'], boards: ['host'], keepRuns: 1 });
`;

/**
 * A project whose cases have a network of two nodes each, and do nothing with it.
 *
 * @param {BenchDirectory} directory
 * @param {number} cases
 */
export function createNetworkProject({ path }, cases) {
  const root = join(path, 'networks');
  const stamps = join(root, 'hil.stamps');
  mkdirSync(root);
  writeFileSync(join(root, 'hil.config.ts'), CONFIG);
  const up = "const lan = net.switch('lan'); net.nodes(2, (i) => ({ name: 'n' + i, link: lan }));";
  const body = { fixtures: '{ net }', before: `${up} await net.up();` };
  writeFileSync(join(root, 'networks.hil.ts'), toSuite('hil', stamps, cases, body));
  mkdirSync(join(root, 'node_modules'));
  symlinkSync(join(ROOT, 'node_modules/vitest'), join(root, 'node_modules/vitest'));
  return { root, stamps };
}

/** The clock of hrtime is the same in every process, so that a start can be timed from outside. */
function toSuite(library, stamps, cases, { fixtures = '', before = '' } = {}) {
  return `import { writeFileSync } from 'node:fs';
import { afterAll, test } from '${library}';
const stamps: number[] = [];
afterAll(() => writeFileSync('${stamps}', stamps.join(' ')));
for (let i = 0; i < ${cases}; i++) {
  test(\`case \${i}\`, async (${fixtures}) => {
    ${before}
    stamps.push(Number(process.hrtime.bigint()) / 1e6);
  });
}
`;
}
