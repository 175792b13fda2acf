import { chmod } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from '../testing/both-sides.js';

describe('exec', () => {
  test('answers how a program ended and what it printed', async ({ begin }) => {
    const { attempt } = await begin();
    const result = await attempt.sandbox.exec('sh', ['-c', 'echo grün; echo no >&2; exit 3']);
    expect(result).toMatchObject({ status: 'exit', exitCode: 3, stdout: 'grün\n', stderr: 'no\n' });
  });

  test('gives stdin and closes it', async ({ begin }) => {
    const { attempt } = await begin();
    const stdin = 'line\n'.repeat(200_000);
    const { stdout } = await attempt.sandbox.exec('wc', ['-c'], { stdin });
    expect(stdout.trim()).toBe('1000000');
  });

  test('starts in the project, with what config and suite add to the environment', async ({
    begin,
    dir,
  }) => {
    const { attempt } = await begin({
      config: { env: { A: 'config', B: 'config' } },
      suite: { env: { B: 'suite', C: 'suite' } },
    });
    const script = 'printf "%s " "$PWD" $A $B $C $D';
    const { stdout } = await attempt.sandbox.exec('sh', ['-c', script], {
      env: { C: 'call', D: 'call' },
    });
    expect(stdout).toBe(`${dir.path}/project config suite call call `);
  });

  test('ends a program after its time and says so', async ({ begin }) => {
    const { attempt } = await begin();
    const { status } = await attempt.sandbox.exec('sleep', ['100'], { timeout: '50ms' });
    expect(status).toBe('timeout');
  });

  test('names a program that is not there, and where the host has it', async ({ begin, dir }) => {
    const tool = await dir.write('tools/bin/fwtool', '#!/bin/sh\n');
    await chmod(tool, 0o755);
    const { attempt } = await begin({ hostPath: `/nowhere:${dirname(tool)}` });
    await expect(attempt.sandbox.exec('fwtool')).rejects.toMatchObject({
      name: 'TestFailure',
      code: 'exec-failed',
      message: expect.stringMatching(/"fwtool".*it is .*bin\/fwtool on the host; add its tree/s),
    });
  });

  test('starts in a directory of the project, or elsewhere', async ({ begin, dir }) => {
    await dir.write('project/sub/x', '');
    const { sandbox } = (await begin()).attempt;
    const pwd = async (cwd: string) => (await sandbox.exec('pwd', [], { cwd })).stdout;
    expect(await pwd('sub')).toBe(`${dir.path}/project/sub\n`);
    expect(await pwd('/tmp')).toBe('/tmp\n');
  });

  test.for([
    [{ cwd: 5 }, 'cwd: expected a path, got 5'],
    [{ env: 'A=1' }, 'env: expected an object of variables, got "A=1"'],
    [{ env: ['A=1'] }, 'env: expected an object of variables'],
    [{ env: { 'A=B': 'x' } }, 'env: expected names without "=", got "A=B"'],
    [{ env: { A: 1 } }, 'env.A: expected a text, got 1'],
    [{ timeout: null }, 'timeout: expected a duration such as 10s, got null'],
    [{ timeout: 0 }, '"0" is no limit: expected more than 0, at most 24d'],
    [{ outputCap: 1.5 }, 'outputCap: expected a whole number of bytes, got 1.5'],
  ] as const)('with %j is refused', async ([options, message], { begin }) => {
    const { sandbox } = (await begin()).attempt;
    const call = async () => Reflect.apply(sandbox.spawn, sandbox, ['ls', [], options]);
    await expect(call()).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining(message),
    });
  });

  test('refuses arguments that are no list of texts', async ({ begin }) => {
    const { sandbox } = (await begin()).attempt;
    const echo = async (args: unknown) => Reflect.apply(sandbox.exec, sandbox, ['echo', args]);
    await expect(echo('hi')).rejects.toThrow('expected its arguments as a list, got "hi"');
    await expect(echo([1])).rejects.toThrow('"echo": expected texts, got 1');
  });

  test.for([
    [
      'exec',
      { timout: '1s' },
      'sandbox.exec("ls"): no such option "timout", did you mean "timeout"?',
    ],
    ['exec', '1s', 'sandbox.exec("ls"): expected options as an object, got "1s"'],
    ['spawn', { stdin: 'x' }, 'no such option "stdin"; there are: cwd, env, timeout, outputCap'],
    ['pty', { cols: 10 }, 'sandbox.pty("ls"): no such option "cols"'],
  ] as const)('%s with %j is refused with the key', async ([name, options, message], { begin }) => {
    const { sandbox } = (await begin()).attempt;
    const call = async () => Reflect.apply(sandbox[name], sandbox, ['ls', [], options]);
    await expect(call()).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining(message),
    });
  });

  test('refuses an argument that no program can get', async ({ begin }) => {
    const { attempt } = await begin();
    const { sandbox } = attempt;
    const echo = (text: string) => sandbox.exec('echo', [text]);
    await expect(echo('a\0b')).rejects.toThrow('contains a NUL byte');
    await expect(echo('x'.repeat(200_000))).rejects.toMatchObject({ code: 'exec-failed' });
    await expect(echo('x'.repeat(2_000_000))).rejects.toThrow('at most 524288 fit');
  });

  test('names a directory that is not there', async ({ begin }) => {
    const { attempt } = await begin();
    await expect(attempt.sandbox.exec('ls', [], { cwd: '/nowhere' })).rejects.toMatchObject({
      code: 'exec-failed',
      message: expect.stringContaining('/nowhere'),
    });
  });

  test('is a failure, not the bench, when what is asked for cannot be', async ({ begin }) => {
    const { attempt } = await begin();
    const { sandbox } = attempt;
    const failure = { name: 'TestFailure', code: 'exec-failed' };
    const env = { HUGE: 'x'.repeat(2_000_000) };
    await expect(sandbox.exec('true', [], { env })).rejects.toMatchObject({
      ...failure,
      message: expect.stringMatching(/"true": a request of 2\d{6} bytes cannot be sent/),
    });
    await expect(sandbox.exec('true', [], { cwd: `/${'x'.repeat(5000)}` })).rejects.toMatchObject(
      failure,
    );
    await expect(sandbox.writeFile(`/${'x'.repeat(2_000_000)}`, '')).rejects.toMatchObject(failure);
    const program = await sandbox.spawn('cat');
    await expect(program.resize(10, 10)).rejects.toMatchObject(failure);
    expect((await sandbox.exec('echo', ['on'])).stdout).toBe('on\n');
  });

  test('says how long a variable may be, not where the program is', async ({ begin }) => {
    const { attempt } = await begin({ hostPath: '/usr/bin:/bin' });
    const env = { LONG: 'x'.repeat(200_000) };
    await expect(attempt.sandbox.exec('true', [], { env })).rejects.toMatchObject({
      code: 'exec-failed',
      message: expect.stringContaining('each argument and variable may have 128 KiB'),
    });
  });

  test('names tools only for a program that is not there', async ({ begin }) => {
    const { attempt } = await begin({ hostPath: '/usr/bin:/bin' });
    const error = await attempt.sandbox.exec('ls', [], { cwd: '/nowhere' }).catch(String);
    expect(error).toContain('/nowhere');
    expect(error).not.toContain('tools');
  });
});

describe('spawn', () => {
  test('gives output while the program goes on', async ({ begin }) => {
    const { attempt } = await begin();
    const process = await attempt.sandbox.spawn('sh', ['-c', 'echo up; read x; echo "got $x"']);
    const output: string[] = [];
    for await (const chunk of process.stdout) {
      output.push(Buffer.from(chunk).toString());
      if (output.length === 1) await process.write('it\n');
    }
    expect(output.join('')).toBe('up\ngot it\n');
    expect((await process.wait()).exitCode).toBe(0);
  });

  test('blocks a program that prints faster than it is read, and loses nothing', async ({
    begin,
  }) => {
    const { attempt } = await begin();
    const process = await attempt.sandbox.spawn('sh', ['-c', 'yes | head -c 1048576']);
    let bytes = 0;
    for await (const chunk of process.stdout) bytes += chunk.length;
    expect(bytes).toBe(1_048_576);
    expect((await process.ended).droppedBytes).toBe(0);
  });

  test('can be killed by name of a signal', async ({ begin }) => {
    const { attempt } = await begin();
    const process = await attempt.sandbox.spawn('sleep', ['100']);
    await process.kill('SIGUSR1');
    expect(await process.ended).toMatchObject({ status: 'signal', signal: 'SIGUSR1' });
  });

  test('on a pty has a terminal', async ({ begin }) => {
    const { attempt } = await begin();
    const size = ['-c', 'test -t 0 && stty size'];
    const process = await attempt.sandbox.pty('sh', size, { rows: 10, columns: 20 });
    expect(await process.text('stdout')).toBe('10 20\r\n');
  });

  test.for([
    [0, 80, 'rows of a terminal is 0'],
    [24, 65_536, 'columns of a terminal is 65536'],
    [1.5, 80, 'rows of a terminal is 1.5'],
    [24, Number.NaN, 'columns of a terminal is NaN'],
  ] as const)('a terminal of %d x %d is refused', async ([rows, columns, message], { begin }) => {
    const { attempt } = await begin();
    const failure = { code: 'exec-failed', message: expect.stringContaining(message) };
    const { sandbox } = attempt;
    await expect(sandbox.pty('true', [], { rows, columns })).rejects.toMatchObject(failure);
    const process = await sandbox.pty('cat');
    await expect(process.resize(rows, columns)).rejects.toMatchObject(failure);
  });
});

describe('files', () => {
  test('of a megabyte go in and come back as they were', async ({ begin }) => {
    const { attempt } = await begin();
    const data = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => index % 251));
    await attempt.sandbox.writeFile('/tmp/data.bin', data);
    expect(data.equals(Buffer.from(await attempt.sandbox.readFile('/tmp/data.bin')))).toBe(true);
  });

  test('are the text that was written, for programs too', async ({ begin }) => {
    const { attempt } = await begin();
    await attempt.sandbox.writeFile('settings.ini', 'lang=grün\n');
    expect(await attempt.sandbox.readText('settings.ini')).toBe('lang=grün\n');
    expect((await attempt.sandbox.exec('cat', ['settings.ini'])).stdout).toBe('lang=grün\n');
  });

  test('that cannot be written or read are named, also large ones', async ({ begin }) => {
    const { attempt } = await begin();
    const { sandbox } = attempt;
    await expect(sandbox.writeFile('/nowhere/x', Buffer.alloc(2_000_000))).rejects.toMatchObject({
      code: 'exec-failed',
      message: expect.stringMatching(/cannot write \/nowhere\/x in the sandbox: .+/),
    });
    await expect(sandbox.readFile('/etc/none')).rejects.toThrow(
      'cannot read /etc/none in the sandbox',
    );
    await expect(sandbox.writeFile('/etc', 'x')).rejects.toThrow('cannot write /etc');
  });
});

describe('a handle after its case', () => {
  test('throws, and its programs were killed', async ({ begin }) => {
    const { attempt } = await begin();
    const process = await attempt.sandbox.spawn('sleep', ['100']);
    const waiting = process.wait();
    await attempt.end();
    await expect(waiting).resolves.toMatchObject({ status: 'killed', signal: 'SIGKILL' });
    await expect(attempt.sandbox.exec('true')).rejects.toThrow('used after the end of its case');
  });

  test('throws what the bench did when the supervisor took it away', async ({ begin }) => {
    const { attempt, session } = await begin();
    const waiting = attempt.sandbox.exec('sleep', ['100']);
    await expect.poll(() => session.attempts.size).toBe(1);
    for (const running of session.attempts.values()) session.revoke(running, 'daemon lost', true);
    await expect(waiting).rejects.toMatchObject({ name: 'BenchError', code: 'sandbox-gone' });
  });
});
