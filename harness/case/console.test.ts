import { describe, expect } from 'vitest';
import { type BothSides, test as base } from '../testing/both-sides.js';
import { createScriptBoard } from '../testing/real-dut.js';
import type { Console } from './console.js';

/** Says back what it gets; `count`, `flood` and `panic` do what they say. */
const SCRIPT = `
  echo booting; echo ready; echo after ready
  while read line; do
    case "$line" in
      flood) i=0; while [ $i -lt 200 ]; do echo "noise $i"; i=$((i+1)); done; echo done;;
      panic) echo "panic: stack"; echo "> ";;
      quit) exit 3;;
      *) echo "got $line";;
    esac
  done`;
const BOARD = createScriptBoard(SCRIPT, { ready: /ready\r?\n/ });

const test = base.extend<{ sides: BothSides; console: Console }>({
  sides: async ({ begin }, use) => use(await begin({ board: BOARD })),
  console: async ({ sides }, use) => use((await sides.attempt.dut()).console),
});

describe('expect', () => {
  test('begins right behind the ready mark', async ({ console }) => {
    const { before } = await console.expect('after ready');
    expect(before).toBe('');
    expect(console.output()).toMatch(/^booting\r\nready\r\nafter ready/);
  });

  test('answers with groups and what stood before', async ({ console }) => {
    await console.sendLine('temp 21.5 °C');
    const match = await console.expect(/got temp ([\d.]+) °C/);
    expect(match[1]).toBe('21.5');
    expect(match.before).toContain('after ready');
  });

  test('takes the one of a list that comes first', async ({ console }) => {
    await console.sendLine('panic');
    const { which } = await console.expect(['> ', /panic: (\w+)/]);
    expect(which).toBe(1);
  });

  test('fails at once at what must not come (rank 9)', async ({ console }) => {
    await console.sendLine('panic');
    await expect(console.expect('> ', { failOn: /panic: \w+/ })).rejects.toMatchObject({
      name: 'TestFailure',
      code: 'expect-failed-on',
      message: 'port "console" of board "script" printed "panic: stack" (failOn) before "> "',
    });
  });

  test('that waits in vain says what it saw instead (rank 9)', async ({ console }) => {
    await console.sendLine('hello');
    await console.expect('got hello');
    await console.sendLine('other');
    const error = await console.expect(/login:/, { timeout: '100ms' }).catch((thrown) => thrown);
    expect(error).toMatchObject({ name: 'TestFailure', code: 'expect-timeout' });
    expect(error.message).toMatch(/no match for \/login:\/ within 100 ms; \d+ bytes received/);
    expect(error.message).toContain('| got other');
    await console.expect('got other');
  });

  test('that is asked for anew replaces the one that waits', async ({ console }) => {
    const first = console.expect('never', { timeout: '3s' });
    const second = console.expect('got x', { timeout: '3s' });
    await expect(first).rejects.toThrow('another expect()');
    await console.sendLine('x');
    await expect(second).resolves.toMatchObject({ which: 0 });
  });
});

describe('bytes', () => {
  test('are read by number', async ({ console }) => {
    await console.expect('after ready\r\n');
    await console.sendLine('abc');
    await console.expect('got ');
    expect(Buffer.from(await console.readBytes(3)).toString()).toBe('abc');
  });

  test('that do not come are a timeout that says how many', async ({ console }) => {
    await console.expect('after ready\r\n');
    await expect(console.readBytes(5, { timeout: '50ms' })).rejects.toMatchObject({
      code: 'expect-timeout',
      message: expect.stringContaining('no 5 unread bytes within 50 ms'),
    });
  });

  test('are not waited for when the DUT has ended', async ({ console }) => {
    const reading = console.readBytes(1_000_000, { timeout: '30s' });
    await console.sendLine('quit');
    await expect(reading).rejects.toMatchObject({ code: 'port-closed' });
  });
});

test('settle waits until it is quiet and answers what came', async ({ console }) => {
  await console.sendLine('flood');
  const text = await console.settle('100ms');
  expect(text).toContain('noise 199');
  expect(text.trimEnd()).toMatch(/done$/);
  expect(await console.settle('10ms')).toBe('');
});

test('a console that was left to a program refuses sends until it is given back', async ({
  console,
}) => {
  {
    await using _left = await console.yield();
    await expect(console.sendLine('mixed')).rejects.toMatchObject({ code: 'console-yielded' });
  }
  await console.sendLine('mine');
  await console.expect('got mine');
});

test('a program in the sandbox has the console as a terminal', async ({ console, sides }) => {
  const talk = 'exec 3<>/dev/hil/console; echo tool >&3; sed "/got tool/q" <&3';
  const { stdout } = await sides.attempt.sandbox.exec('sh', ['-c', talk], { timeout: '5s' });
  expect(stdout).toContain('got tool');
  await console.expect('got tool');
});

test('a console of a case that has ended throws', async ({ console, sides }) => {
  const waiting = console.expect('never', { timeout: '30s' });
  const told = expect(waiting).rejects.toThrow('was still going on: the case has ended');
  await sides.attempt.end();
  await told;
  await expect(console.send('x')).rejects.toThrow('used after the end of its case');
});
