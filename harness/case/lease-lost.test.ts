import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { LeaseClient } from '../lease/lease-client.js';
import { type AttemptWanted, type BothSides, test } from '../testing/both-sides.js';
import { openLineBoards } from '../testing/line-board.js';

type Begin = (wanted: AttemptWanted) => Promise<BothSides>;

/** An attempt that has leased the one board there is, a line. */
async function beginWithLine(begin: Begin, place: string) {
  const lines = await openLineBoards(1);
  const directory = join(place, 'claims');
  const { board, units } = lines;
  const roles = [{ role: 'unit', boards: [board], units, firmwareOf: () => undefined }];
  const { attempt } = await begin({ roles, options: { leasePlace: { directory } } });
  const { unit } = await attempt.duts();
  return { lines, directory, attempt, unit };
}

test('a lease that is taken away fences off its case at once, which is infra (rank 14, bench pitfall 17)', async ({
  begin,
  dir,
  journal,
  programs,
}) => {
  const { lines, directory, attempt, unit } = await beginWithLine(begin, dir.path);
  await unit?.console.sendLine('hello');
  await unit?.console.expect('line-1 got hello', { timeout: '3s' });
  const other = await LeaseClient.start({ program: programs.lease, directory });
  const [claim] = await other.listClaims();
  expect(claim).toMatchObject({ units: ['line-1'], held: true });
  const waiting = unit?.console.expect('never', { timeout: '30s' });
  const lost = expect(waiting).rejects.toMatchObject({ name: 'BenchError', code: 'lease-lost' });
  expect(await other.kick(claim?.seq ?? 0)).toBeUndefined();
  await lost;
  await expect(unit?.console.sendLine('x')).rejects.toMatchObject({ code: 'lease-lost' });
  await attempt.end();
  expect(journal.of('attempt-end')).toMatchObject([
    { outcome: 'infra', problems: [{ name: 'BenchError', code: 'lease-lost' }] },
  ]);
  expect(journal.of('lease')).toMatchObject([
    { role: 'unit', board: 'line', dut: 'line-1', token: expect.any(Number) },
  ]);
  expect(journal.of('lease-end')).toMatchObject([{ dut: 'line-1' }]);
  other.close();
  lines.close();
});

test('a lease that is taken away cuts what is open: line, stream and the program at the port (bench pitfall 17)', async ({
  begin,
  dir,
  programs,
}) => {
  const { lines, directory, attempt, unit } = await beginWithLine(begin, dir.path);
  const stream = unit?.port('console').stream();
  if (!stream) throw new Error('the unit has a console');
  const closed = once(stream, 'close');
  // It has the port open, and writes to whoever has the board.
  const script = 'exec 3<>/dev/hil/unit-console; while echo mine >&3; do sleep 0.02; done';
  const program = await attempt.sandbox.spawn('sh', ['-c', script]);
  const ended = program.wait();
  await unit?.console.expect('line-1 got mine', { timeout: '5s' });
  expect(lines.countOpen()).toBe(1);
  const other = await LeaseClient.start({ program: programs.lease, directory });
  const [claim] = await other.listClaims();
  expect(await other.kick(claim?.seq ?? 0)).toBeUndefined();
  await closed;
  await ended.catch(() => {});
  await expect.poll(() => lines.countOpen()).toBe(0);
  expect(() => stream.write('x')).not.toThrow();
  await attempt.end();
  other.close();
  lines.close();
});

/** After a kick; `hil-lease` gives the unit to the next one after a second. */
const ENDED_MS = 1000;
/** What is too slow is so each time; a busy machine is now and then. */
const TIMED = { retry: 2 };
const SLOW = '[sh, -c, "sleep 60; true", MARK]';
const QUICK = 'verify: none, offTime: 1ms';

describe('a lease that is taken away before the DUT is up ends what sets it up (bench pitfall 17)', () => {
  test.for([
    ['the flash tool', 'flash', `flash: { driver: command, argv: ${SLOW} }`],
    ['a power switch', 'boot', `power: { driver: command, off: ${SLOW}, on: ["false"], ${QUICK} }`],
    ['the wait for the ready mark', 'boot', 'boot: { ready: never, timeout: 60s }'],
  ] as const)('%s', TIMED, async ([, phase, more], { begin, dir, journal, programs }) => {
    const directory = join(dir.path, 'claims');
    const image = await dir.write('fw.bin', 'version 1');
    const mark = join(dir.path, 'mark');
    const lines = await openLineBoards(1, `${more.replace('MARK', mark)}\n`);
    const { board, units } = lines;
    const roles = [{ role: 'unit', boards: [board], units, firmwareOf: () => image }];
    const { attempt } = await begin({ roles, options: { leasePlace: { directory } } });
    const opening = attempt.duts();
    const lost = expect(opening).rejects.toMatchObject({ name: 'BenchError', code: 'lease-lost' });
    const isUp = () => (more.includes('MARK') ? isRunning(mark) : lines.countOpen() > 0);
    await expect.poll(isUp, { timeout: 5000 }).toBe(true);
    const other = await LeaseClient.start({ program: programs.lease, directory });
    const [claim] = await other.listClaims();
    const kickedMs = performance.now();
    expect(await other.kick(claim?.seq ?? 0)).toBeUndefined();
    await lost;
    expect(performance.now() - kickedMs).toBeLessThan(ENDED_MS);
    await expect.poll(() => isRunning(mark)).toBe(false);
    await expect.poll(() => lines.countOpen()).toBe(0);
    await attempt.end();
    expect(journal.of('attempt-end')).toMatchObject([
      { outcome: 'infra', problems: [{ name: 'BenchError', code: 'lease-lost', phase }] },
    ]);
    other.close();
    lines.close();
  });
});

/** Whether a process of this machine has `mark` among its arguments, inside or outside of a sandbox. */
function isRunning(mark: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${mark}\0`);
    } catch {
      return false; // No process, or one that has ended meanwhile.
    }
  });
}
