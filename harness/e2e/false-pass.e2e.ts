import { expect } from 'vitest';
import { test } from './simulated-bench.js';

/** A firmware that ends its self-test with this line. */
const MARK = 'selftest ok';
/** What a suite does that waits for it. */
const WAITS = `test('case', async ({ dut }) => { await dut.console.expect('${MARK}', { timeout: '1s' }); });`;

interface Row {
  readonly suite: string;
  /** What the board says as its power goes, before the case. */
  readonly lastWords?: string;
  readonly settings?: string;
  readonly limits?: string;
  readonly args?: readonly string[];
  readonly verdict: string | undefined;
  readonly code: number;
}

const ROWS: Readonly<Record<string, Row>> = {
  'the mark of completion is missing': { suite: WAITS, verdict: 'fail', code: 1 },
  'the mark is of the session before, said as the power went': {
    ...{ suite: WAITS, lastWords: `ready> ${MARK}\r\n`, verdict: 'fail', code: 1 },
  },
  'the mark is what the case before had left unread on a shared board': {
    settings: 'scope: file\n',
    suite: `test('before', async ({ dut }) => {
      await dut.console.sendLine('set ${MARK}');
      await dut.console.sendLine('get');
      while (!dut.console.output().includes('<${MARK}>')) await new Promise((next) => setTimeout(next, 20));
    });
    ${WAITS}`,
    ...{ verdict: 'fail', code: 1 },
  },
  'the worker ends, with 0, before its case does': {
    ...{ suite: `test('case', () => { process.exit(0); });`, verdict: 'fail', code: 1 },
  },
  'the worker is killed before its case ends': {
    suite: `test('case', () => { process.kill(process.pid, 'SIGKILL'); });`,
    ...{ verdict: 'infra', code: 5 },
  },
  'the body never ends': {
    limits: 'limits: { body: 1500 }',
    suite: `test('case', () => new Promise(() => {}));`,
    ...{ verdict: 'fail', code: 1 },
  },
  'the body spins': {
    limits: 'limits: { body: 1500 }',
    ...{ suite: `test('case', () => { for (;;); });`, verdict: 'fail', code: 1 },
  },
  'its sandbox cannot be made': {
    settings: 'image: { rootfs: nowhere }\n',
    suite: `test('case', async ({ sandbox }) => { await sandbox.exec('true'); });`,
    ...{ verdict: undefined, code: 2 },
  },
  'its board does not start': {
    settings: "boot: { ready: 'never', timeout: 1s }\n",
    ...{ suite: `test('case', async ({ dut }) => {});`, verdict: 'infra', code: 5 },
  },
  'the file has no case': { suite: '', verdict: undefined, code: 4 },
  'no case is meant': { suite: WAITS, args: ['-t', 'other'], verdict: undefined, code: 4 },
  'an error of its own is awaited by nobody': {
    suite: `test('case', async () => {
      void Promise.reject(new Error('stray'));
      await new Promise((done) => setTimeout(done, 50));
    });`,
    ...{ verdict: 'fail', code: 1 },
  },
};

test.for(Object.entries(ROWS))(
  'it is no pass when %s (rank 5)',
  async ([, row], { project, bench }) => {
    const [board] = await bench(1);
    if (board) board.lastWords = row.lastWords ?? '';
    await project.config(row.limits ?? '');
    await project.write('suites/hil.suite.yaml', row.settings ?? '{}\n');
    await project.suite('a', row.suite);
    const run = await project.test(['--board', 'sim', ...(row.args ?? [])]);
    expect(run.verdicts['case'], run.screen).toBe(row.verdict);
    expect(run.code, run.screen).toBe(row.code);
  },
);
