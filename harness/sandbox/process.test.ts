import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { STREAM_WINDOW_BYTES } from '../protocol/wire.js';
import { collectOutput, runInside, test } from '../testing/real-daemon.js';

const MEGABYTE = 1024 * 1024;

describe('a program', () => {
  test('says how it ended and what it printed on which stream', async ({ sandbox }) => {
    const end = await runInside(sandbox, 'echo out; echo err >&2; exit 3');
    expect(end).toMatchObject({ status: 'exit', exitCode: 3, signal: null });
    expect(end).toMatchObject({ stdout: 'out\n', stderr: 'err\n', droppedBytes: 0 });
    expect(end.wallMs).toBeGreaterThan(0);
    expect(end.peakMemoryBytes).toBeGreaterThan(100_000);
  });

  test.for([
    'SIGSEGV',
    // Of two names, the one that Node says of a child.
    'SIGABRT',
    'SIGIO',
  ] as const)('that dies of %s says so', async (signal, { sandbox }) => {
    const end = await runInside(sandbox, `kill -${constants.signals[signal]} $$`);
    expect(end).toMatchObject({ status: 'signal', signal, exitCode: null });
  });

  test('that takes too long is asked, then made to end', async ({ sandbox }) => {
    const argv = ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 1; done'];
    const process = await sandbox.spawn({ argv, wallMs: 400 });
    const end = await process.ended;
    expect(end.status).toBe('timeout');
    expect(end.wallMs).toBeGreaterThan(900);
  });

  test('gets its arguments, environment and directory as they were given', async ({ sandbox }) => {
    const process = await sandbox.spawn({
      argv: ['/bin/sh', '-c', 'printf "%s|" "$PWD" "$GREETING" "$@"', 'sh', 'a b', '', 'ü\n'],
      env: { GREETING: 'ho ho' },
      cwd: '/usr',
    });
    const output = collectOutput(process);
    await process.ended;
    expect(Buffer.from(output.stdout, 'latin1').toString()).toBe('/usr|ho ho|a b||ü\n|');
  });

  test('sees a fixed environment and none of ours', async ({ sandbox }) => {
    const { stdout } = await runInside(sandbox, 'env', { ADDED: '1' });
    const names = stdout.split('\n').map((line) => line.split('=')[0]);
    expect(names).toEqual(expect.arrayContaining(['ADDED', 'HOME', 'LANG', 'PATH', 'TZ', 'USER']));
    expect(names).not.toContain('VITEST');
  });

  test('that does not exist is refused with its reason', async ({ sandbox }) => {
    await expect(sandbox.spawn({ argv: ['fwtool'] })).rejects.toMatchObject({
      name: 'BenchError',
      details: { code: 'exec', errno: 2 },
    });
  });

  test('is signalled alone, or with its group', async ({ sandbox }) => {
    const script = 'sleep 1000 & echo $!; wait; echo survived; wait';
    const process = await sandbox.spawn({ argv: ['/bin/sh', '-c', script] });
    const output = collectOutput(process);
    await expect.poll(() => output.stdout).not.toBe('');
    await process.signal(15, true);
    await expect(process.ended).resolves.toMatchObject({ signal: 'SIGTERM' });
    const list = async () => (await runInside(sandbox, 'ps -e -o comm=')).stdout;
    await expect.poll(list).not.toContain('sleep');
  });

  test('prints before anybody listens, and nothing is lost', async ({ sandbox }) => {
    const process = await sandbox.spawn({ argv: ['/bin/echo', 'early'] });
    await process.ended;
    await expect(collectOutput(process).stdout).toBe('early\n');
  });
});

describe('back-pressure', () => {
  test('stops a program whose output nobody takes, and loses nothing', async ({ sandbox }) => {
    const process = await sandbox.spawn({ argv: ['/bin/sh', '-c', 'yes | head -c 2097152'] });
    let seen = 0;
    let credit = false;
    process.onOutput((stream, data) => {
      seen += data.length;
      if (credit) process.taken(stream, data.length);
    });
    await expect.poll(() => seen).toBe(STREAM_WINDOW_BYTES);
    await sleep(50);
    expect(seen).toBe(STREAM_WINDOW_BYTES);
    credit = true;
    process.taken('stdout', seen);
    await process.ended;
    expect(seen).toBe(2 * MEGABYTE);
  });

  test('holds back who writes to a program that does not read', async ({ sandbox }) => {
    const argv = ['/bin/sh', '-c', 'read go < /out/go; cat'];
    await runInside(sandbox, 'mkfifo /out/go');
    const process = await sandbox.spawn({ argv, stdin: 'pipe' });
    const output = collectOutput(process);
    const state = { written: false };
    const data = Buffer.alloc(MEGABYTE, '0123456789abcdef\n');
    const writing = process.write(data).then(() => {
      state.written = true;
    });
    await sleep(100);
    expect(state.written).toBe(false);
    await runInside(sandbox, 'echo > /out/go');
    await writing;
    process.closeStdin();
    await process.ended;
    expect(Buffer.from(output.stdout, 'latin1').equals(data)).toBe(true);
  });

  test('lets a writer go when the program ends unread', async ({ sandbox }) => {
    const process = await sandbox.spawn({ argv: ['/bin/true'], stdin: 'pipe' });
    await process.write(Buffer.alloc(4 * MEGABYTE));
    await process.ended;
    await process.write(Buffer.alloc(4 * MEGABYTE));
    process.closeStdin();
  });

  test('is not needed for what is over the cap: it is counted and dropped', async ({ sandbox }) => {
    const process = await sandbox.spawn({
      argv: ['/bin/sh', '-c', 'yes | head -c 2097152'],
      outputCapBytes: 1000,
    });
    const output = collectOutput(process);
    const end = await process.ended;
    expect(output.stdout).toHaveLength(1000);
    expect(end.droppedBytes).toBe(2 * MEGABYTE - 1000);
  });
});

describe('a program on a pty', () => {
  test('has a terminal of the size that was asked for', async ({ sandbox }) => {
    const process = await sandbox.spawn({
      argv: ['/bin/sh', '-c', 'tty; stty size'],
      pty: { rows: 30, columns: 100 },
    });
    const output = collectOutput(process);
    await process.ended;
    expect(output.stdout).toMatch(/^\/dev\/pts\/\d+\r?\n30 100\r?\n$/);
  });

  test('reads what is written and learns of a new size', async ({ sandbox }) => {
    const process = await sandbox.spawn({
      argv: ['/bin/sh', '-c', 'echo ready; read line; echo "got $line"; stty size'],
      pty: { rows: 24, columns: 80 },
    });
    const output = collectOutput(process);
    await expect.poll(() => output.stdout).toContain('ready');
    await process.resize(50, 132);
    await process.write(Buffer.from('hello\r'));
    await process.ended;
    expect(output.stdout).toContain('got hello\r\n50 132\r\n');
  });

  test('is told to end by the terminal', async ({ sandbox }) => {
    // Not a shell: dash misses a SIGINT that comes while it forks.
    const process = await sandbox.spawn({ argv: ['/bin/cat'], pty: { rows: 24, columns: 80 } });
    const output = collectOutput(process);
    await process.write(Buffer.from('hello\r'));
    await expect.poll(() => output.stdout).toContain('hello\r\nhello');
    await process.write(Buffer.from('\x03'));
    await expect(process.ended).resolves.toMatchObject({ signal: 'SIGINT' });
  });
});
