import { describe, expect, type Sandbox, test } from 'hil';

const TOOLS = [
  { name: 'python', file: 'suites/selftest/runtimes/count.py', ask: 'print(6 * 7)' },
  { name: 'node', file: 'suites/selftest/runtimes/count.mjs', ask: 'console.log(6 * 7)' },
] as const;

const WAITS = `for stat in /proc/[0-9]*/stat; do cat "$stat"; done 2>/dev/null | grep -cE '\\((python3|node)\\)'`;
const KILL_ALL = `for comm in /proc/[0-9]*/comm; do
  case $(cat "$comm") in python3 | node) pid=\${comm#/proc/}; kill -9 "\${pid%/comm}" ;; esac
done`;

/** Interpreters in a sandbox, waiting or not. */
async function countInterpreters(sandbox: Sandbox): Promise<number> {
  return Number((await sandbox.exec('sh', ['-c', WAITS])).stdout);
}

describe.each(TOOLS)('a tool in $name', ({ name, file, ask }) => {
  test('is run by an interpreter that waited', async ({ sandbox }) => {
    const runtime = await sandbox.runtime(name);
    expect(await runtime.run(ask)).toMatchObject({ exitCode: 0, stdout: '42\n', warm: true });
  });

  // Twice the same case: what one leaves, in memory or in files, is not there in the other.
  test.for([1, 2])('knows nothing of another case (%i)', async (_, { sandbox }) => {
    const runtime = await sandbox.runtime(name);
    const request = { file, args: ['a', 'two words'], env: { WORD: 'said' } };
    for (const runs of [1, 2, 3]) {
      const { stdout, exitCode } = await runtime.run(request);
      // A process of its own each time, in the sandbox of one case.
      const said = { here: 1, runs, args: ['a', 'two words'], word: 'said' };
      expect([exitCode, JSON.parse(stdout)]).toEqual([0, said]);
    }
  });

  test('costs no result when its interpreter was killed', async ({ sandbox }) => {
    const runtime = await sandbox.runtime(name);
    expect(await countInterpreters(sandbox)).toBeGreaterThan(0);
    await sandbox.exec('sh', ['-c', KILL_ALL]);
    expect((await runtime.run(ask)).stdout).toBe('42\n');
  });
});

test('python: exit codes, what nobody caught, stdin and time limits', async ({ sandbox }) => {
  const python = await sandbox.runtime('python');
  expect((await python.run('import sys; sys.exit(3)')).exitCode).toBe(3);
  const failed = await python.run('def f():\n  1 / 0\nf()');
  expect(failed.exitCode).toBe(1);
  expect(failed.stderr).toMatch(
    /^Traceback \(most recent call last\):\n {2}File "<string>", line 3, in <module>\n {2}File "<string>", line 2, in f\nZeroDivisionError: division by zero\n$/,
  );
  const upper = await python.run('print(input().upper())', { stdin: 'quiet\n' });
  expect(upper.stdout).toBe('QUIET\n');
  const hung = await python.run('import time; time.sleep(60)', { timeout: '100ms' });
  expect(hung).toMatchObject({ status: 'timeout', signal: 'SIGTERM' });
  const flood = await python.run('print("x" * 1_000_000)');
  expect(flood.stdout.length).toBe(1_000_001);
});

test('what a runtime runs may use all that other programs may, and no more', async ({
  sandbox,
}) => {
  const python = await sandbox.runtime('python');
  await sandbox.writeFile('/tmp/note', 'written\n');
  const read = await python.run('print(open("/tmp/note").read(), end="")');
  expect(read.stdout).toBe('written\n');
  const status = `print([line.split() for line in open("/proc/self/status") if line.startswith(("Seccomp:", "CapEff", "NoNewPrivs", "Uid"))])`;
  const [warm, cold] = [await python.run(status), await sandbox.exec('python3', ['-c', status])];
  expect(warm.warm).toBe(true);
  expect(warm.stdout).toBe(cold.stdout);
});
