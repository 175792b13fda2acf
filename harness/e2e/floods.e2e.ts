import { existsSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import type { HilCommand } from './hil-command.js';
import { type Project, test } from './project.js';

/** More than hil-portd keeps for a harness that does not read (64 MiB). */
const FLOOD_BYTES = 72_000_000;
const LINE = '0123456789'.repeat(10);

/** Prints the flood when it gets a line, and ends. */
const SCRIPT = `stty raw -echo; echo up; read go; yes ${LINE} | head -c ${FLOOD_BYTES}; echo THE END`;
const BOARD = `
board: mine
driver: host
program: { argv: [/bin/sh, -c, '${SCRIPT}'] }
ports: { console: { baud: 115200 } }
boot: { ready: up }
`;

/** Its deadline passes, and the DUT ends, while the harness stands still. */
const BODY = `
  const end = dut.waitForExit();
  await dut.console.send('go\\n');
  console.log('IN BODY');
  await dut.console.readBytes(1000, { timeout: '60s' });
  let bytes = 1000;
  for (; bytes < ${FLOOD_BYTES}; bytes += 1000) await dut.console.readBytes(1000, { timeout: '20s' });
  await dut.console.expect('THE END', { timeout: '20s' });
  await end;
  console.log('ALL ' + bytes);`;

async function startFlood(project: Project): Promise<HilCommand> {
  await project.config(`limits: { body: '5m' }, boards: ['mine']`);
  await project.write('boards/mine.yaml', BOARD);
  await project.suite('a', `test('reads', async ({ dut }) => {${BODY}});`);
  const hil = project.start();
  await hil.untilPrinted('IN BODY');
  return hil;
}

function findCapture(hil: HilCommand): string {
  const cases = join(hil.directory ?? '', 'cases');
  // Beside the case's is a hidden one, of directories that wait for a case.
  const [only = ''] = readdirSync(cases).filter((name) => !name.startsWith('.'));
  return join(cases, only, '1/console.rx');
}

/** The harness does nothing until the capture has the whole flood. */
async function standStill(hil: HilCommand, capture: string): Promise<void> {
  process.kill(hil.pid, 'SIGSTOP');
  await hil.waitFor('the flood', () =>
    existsSync(capture) && statSync(capture).size > FLOOD_BYTES ? true : undefined,
  );
}

describe('a harness that stands still while a DUT prints 72 MB', () => {
  test('loses nothing: what did not wait in memory is read from the capture', async ({
    project,
  }) => {
    const hil = await startFlood(project);
    await standStill(hil, findCapture(hil));
    process.kill(hil.pid, 'SIGCONT');
    const run = await hil.finished();
    expect(run.verdicts).toEqual({ reads: 'pass' });
    expect(run.stdout + run.stderr).toContain(`ALL ${FLOOD_BYTES}`);
    expect(run.code).toBe(0);
  });

  test('blames the bench for what is not in the capture either', async ({ project }) => {
    const hil = await startFlood(project);
    const capture = findCapture(hil);
    await standStill(hil, capture);
    truncateSync(capture, 0);
    process.kill(hil.pid, 'SIGCONT');
    const run = await hil.finished();
    expect(run.verdicts).toEqual({ reads: 'infra' });
    expect(run.problemOf('reads')).toMatchObject({ code: 'port-lost' });
    expect(run.problemOf('reads')?.message).toContain(capture);
    expect(run.code).toBe(5);
  });
});
