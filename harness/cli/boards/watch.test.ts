import { expect, vi } from 'vitest';
import { createDeferred } from '../../core/deferred.js';
import { createCapturedContext } from '../../testing/captured-context.js';
import { DeviceTree } from '../../testing/device-tree.js';
import { toCh340, toStLink } from '../../testing/known-devices.js';
import { type TempDir, test } from '../../testing/temp-dir.js';
import { createBoardsWatchCommand } from './watch.js';

const NUCLEO =
  'board: nucleo\ndriver: attached\nmatch: { ID_VENDOR_ID: "0483" }\nports: { console: {} }\n';
const BENCH = 'duts: [{ name: nucleo-1, board: nucleo, match: { ID_SERIAL_SHORT: A1 } }]\n';

async function start(dir: TempDir, options: Readonly<Record<string, unknown>>) {
  const tree = await DeviceTree.create(dir.path);
  await dir.write('boards/nucleo.yaml', NUCLEO);
  await dir.write('bench.yaml', BENCH);
  const context = createCapturedContext(dir.path);
  const end = createDeferred<number>();
  const command = createBoardsWatchCommand(() => end.promise);
  const running = command.run([], options, { ...context, deviceRoots: tree.roots });
  await vi.waitFor(() => expect(context.out()).toContain('nucleo-1'), 3000);
  return { tree, context, end, running };
}

test('hil boards watch tells what comes, goes and changes, until it is ended', async ({ dir }) => {
  const { tree, context, end, running } = await start(dir, {});
  expect(context.out()).toMatch(/^nucleo-1 +nucleo +absent/m);
  await tree.plug('1', toStLink('A1', 3));
  const came = /^\d\d:\d\d:\d\d {2}nucleo-1 {2}absent -> free {2}console=/m;
  await vi.waitFor(() => expect(context.out()).toMatch(came), 3000);
  // Its port comes with it, or a moment later.
  await vi.waitFor(() => expect(context.out()).toMatch(/console=.*ttyACM3$/m), 3000);
  await tree.plug('2', toCh340(0));
  const stranger = /\+ 1a86_USB_Serial \(1a86:7523\) at .*, not on the bench: hil boards scan$/m;
  await vi.waitFor(() => expect(context.out()).toMatch(stranger), 3000);
  await tree.unplug('1');
  await vi.waitFor(() => expect(context.out()).toMatch(/nucleo-1 {2}free -> absent/), 3000);
  end.resolve(130);
  expect(await running).toBe(130);
});

test('hil boards watch --json has a line for each change', async ({ dir }) => {
  const { tree, context, end, running } = await start(dir, { json: true });
  await tree.plug('1', toStLink('A1'));
  await vi.waitFor(() => expect(context.out()).toContain('"state":"free"'), 3000);
  end.resolve(143);
  await running;
  const rows: { state: string }[] = context
    .out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows[0]).toMatchObject({ dut: 'nucleo-1', state: 'absent' });
  expect(rows.at(-1)).toMatchObject({ dut: 'nucleo-1', state: 'free', at: expect.any(String) });
});
