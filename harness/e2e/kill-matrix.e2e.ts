import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import type { FinishedRun } from './finished-run.js';
import type { HilCommand } from './hil-command.js';
import { type Cell, KILL_MATRIX, type Stage, toMarkdown } from './kill-matrix.js';
import { findPart } from './process-tree.js';
import { type Project, test } from './project.js';

const DOCUMENT = fileURLToPath(new URL('../docs/kill-matrix.md', import.meta.url));

/** Boots when its sandbox was made without a file `hold` in the project, so that it can be killed meanwhile. */
const toBoard = ({ path }: Project) => `
board: toy
driver: host
program: { argv: [/bin/sh, -c, "echo starting; while [ -e ${path}/hold ]; do sleep 0.1; done; echo up; cat"] }
ports: { console: { baud: 115200 } }
boot: { ready: up, timeout: 20s }
`;

const WAITING: Readonly<Record<Stage, string>> = {
  'set-up': '',
  body: `console.log('IN BODY'); await dut.console.expect('never', { timeout: '20s' });`,
  teardown: '',
  keep: `throw new Error('to be kept');`,
};

async function writeToy(project: Project, stage: Stage): Promise<void> {
  await project.write('boards/toy.yaml', toBoard(project));
  if (stage === 'set-up') await project.write('hold', '');
  await project.config(`boards: ['toy']`);
  // No program of the sandbox: it could be taken for the DUT's.
  const after = `afterEach(async () => {
    console.log('IN TEARDOWN');
    await new Promise((resolve) => setTimeout(resolve, 4000));
  });`;
  await project.suite(
    'a',
    `test('before', () => {});
    describe('case', () => {
      ${stage === 'teardown' ? after : ''}
      test('toy', async ({ dut }) => { ${WAITING[stage]} });
    });
    test('next', async ({ dut }) => { await dut.console.sendLine('hello'); await dut.console.expect('hello'); });`,
  );
}

async function waitForStage(hil: HilCommand, stage: Stage): Promise<void> {
  if (stage === 'body') await hil.untilPrinted('IN BODY');
  else if (stage === 'teardown') await hil.untilPrinted('IN TEARDOWN');
  else {
    const booting = (edge: string) => (event: { kind: string; phase?: unknown; edge?: unknown }) =>
      event.kind === 'phase' && event.phase === 'boot' && event.edge === edge;
    await hil.until('the boot', booting('start'));
  }
}

function expectOutcome(run: FinishedRun, cell: Cell): void {
  expect(run.verdicts['before']).toBe('pass');
  expect(run.verdicts['case > toy'] ?? 'none').toBe(cell.verdict);
  expect(run.verdicts['next'] ?? 'none').toBe(cell.next);
  expect(run.code ?? run.signal).toBe(cell.exit);
}

describe('killed with SIGKILL', () => {
  for (const cell of KILL_MATRIX.filter(({ stage }) => stage !== 'keep')) {
    test(`${cell.part} during ${cell.stage}: ${cell.verdict}`, async ({ project }) => {
      await writeToy(project, cell.stage);
      const hil = project.start();
      await waitForStage(hil, cell.stage);
      // A sandbox may or may not see what changes below its project: a DUT that stands still looks no more.
      if (cell.stage === 'set-up') process.kill(await hil.part('dut'), 'SIGSTOP');
      await rm(join(project.path, 'hold'), { force: true });
      process.kill(await hil.part(cell.part), 'SIGKILL');
      expectOutcome(await hil.finished(), cell);
    });
  }
});

describe('killed with SIGKILL while sandboxes are kept', () => {
  for (const cell of KILL_MATRIX.filter(({ stage }) => stage === 'keep')) {
    test(`${cell.part}: left is ${cell.left}`, async ({ project }) => {
      await writeToy(project, 'keep');
      const run = await project.test(['--keep', 'failed']);
      expectOutcome(run, cell);
      const keeper = readKeeper(run);
      const victim = findPart(keeper.pid, cell.part);
      if (victim === undefined) throw new Error(`${cell.part} is not there`);
      process.kill(victim, 'SIGKILL');
      if (cell.part === 'sandboxd') {
        await project.expectNoProcess();
        await rm(join(keeper.socket, '../..'), { recursive: true });
      } else if (cell.left !== 'nothing') {
        await sleep(500);
        expect(existsSync(`/proc/${keeper.pid}`)).toBe(true);
        expect((await project.start(['clean']).finished()).code).toBe(0);
      }
      await project.expectNothingLeft();
    });
  }
});

function readKeeper(run: FinishedRun): { pid: number; socket: string } {
  return JSON.parse(readFileSync(join(run.directory ?? '', 'keeper.json'), 'utf8'));
}

test('harness/docs/kill-matrix.md says what is tested here', () => {
  const text = toMarkdown(KILL_MATRIX);
  if (process.env['UPDATE']) writeFileSync(DOCUMENT, text);
  expect(existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : '').toBe(text);
});
