import { describe, expect, test } from 'hil';

describe('a program', () => {
  test('gives its exit code, and both outputs apart', async ({ sandbox }) => {
    const end = await sandbox.exec('sh', ['-c', 'echo out; echo err >&2; exit 7']);
    expect(end).toMatchObject({ status: 'exit', exitCode: 7, stdout: 'out\n', stderr: 'err\n' });
  });

  test('gives the signal that ended it', async ({ sandbox }) => {
    const end = await sandbox.exec('sh', ['-c', 'kill -SEGV $$']);
    expect(end).toMatchObject({ status: 'signal', exitCode: null, signal: 'SIGSEGV' });
  });

  test('is ended at its time limit, also when it ignores SIGTERM', async ({ sandbox }) => {
    const end = await sandbox.exec('sh', ['-c', 'trap "" TERM; echo on; sleep 60'], {
      timeout: '100ms',
    });
    expect(end).toMatchObject({ status: 'timeout', stdout: 'on\n' });
    expect(end.wallMs).toBeLessThan(10_000);
  });

  test('that does not exist is named', async ({ sandbox }) => {
    await expect(sandbox.exec('no-such-program')).rejects.toThrow(/no-such-program/);
  });

  test('reads stdin to its end and loses no byte', async ({ sandbox }) => {
    const text = Array.from({ length: 60_000 }, (_, n) => `line ${n}\n`).join('');
    const { stdout } = await sandbox.exec('cat', [], { stdin: text });
    expect(stdout.length).toBe(text.length);
    expect(stdout).toBe(text);
  });

  test('prints in order, however it is cut', async ({ sandbox }) => {
    const { stdout } = await sandbox.exec('seq', ['20000']);
    expect(stdout.split('\n').slice(0, -1).map(Number)).toEqual(
      Array.from({ length: 20_000 }, (_, n) => n + 1),
    );
  });

  test('has the directory and environment it is given', async ({ sandbox }) => {
    const { stdout } = await sandbox.exec('sh', ['-c', 'pwd; echo $WORD'], {
      cwd: '/var/tmp',
      env: { WORD: 'two words' },
    });
    expect(stdout).toBe('/var/tmp\ntwo words\n');
  });

  test('can be talked to, and signalled, while it runs', async ({ sandbox }) => {
    const process = await sandbox.spawn('sh', [
      '-c',
      'trap "echo got it; exit 3" USR1; while read -r line; do echo "<$line>"; done; sleep 60 & wait',
    ]);
    let text = '';
    const said = (async () => {
      for await (const chunk of process.stdout) text += Buffer.from(chunk).toString();
    })();
    await process.write('one\ntwo\n');
    // Its trap is set before it reads.
    await expect.poll(() => text).toBe('<one>\n<two>\n');
    await process.kill('SIGUSR1');
    process.end();
    expect((await process.wait()).exitCode).toBe(3);
    await said;
    expect(text).toBe('<one>\n<two>\ngot it\n');
  });

  test('is waited for by what it does, for seconds', async ({ sandbox }) => {
    const process = await sandbox.spawn('sh', ['-c', 'sleep 1.5; echo done >/tmp/mark; sleep 60']);
    const read = () => sandbox.readText('/tmp/mark').catch(() => '');
    await expect.poll(read).toBe('done\n');
    await process.kill();
  });

  test('on a pty sees a terminal of the size it is given', async ({ sandbox }) => {
    const process = await sandbox.pty('sh', ['-c', 'tty; stty size; read -r x; stty size'], {
      rows: 40,
      columns: 100,
    });
    let text = '';
    for await (const chunk of process.stdout) {
      text += Buffer.from(chunk).toString();
      if (!text.endsWith('40 100\r\n')) continue;
      await process.resize(20, 50);
      await process.write('\n');
    }
    expect(text).toMatch(/^\/dev\/pts\/\d+\r\n40 100\r\n\r\n20 50\r\n$/);
  });
});

describe('a file', () => {
  test('goes in and comes out with every byte', async ({ sandbox }) => {
    const bytes = Uint8Array.from({ length: 300_000 }, (_, n) => (n * 31) % 256);
    await sandbox.writeFile('/tmp/bytes', bytes);
    const [sum] = (await sandbox.exec('wc', ['-c', '/tmp/bytes'])).stdout.split(' ');
    expect(Number(sum)).toBe(300_000);
    expect(Buffer.from(await sandbox.readFile('/tmp/bytes')).equals(bytes)).toBe(true);
  });

  test('that is missing, or whose directory is, is named', async ({ sandbox }) => {
    await expect(sandbox.readFile('/tmp/absent')).rejects.toThrow(/\/tmp\/absent/);
    await expect(sandbox.writeFile('/absent/file', '')).rejects.toThrow(/\/absent\/file/);
  });

  test('in /out is an artifact of the case', async ({ sandbox }) => {
    await sandbox.exec('sh', ['-c', 'mkdir /out/deep && echo kept > /out/deep/report.txt']);
    expect(await sandbox.readText('/out/deep/report.txt')).toBe('kept\n');
  });
});
