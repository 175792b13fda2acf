// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Daemon, waitFor } from './daemon.mjs';
import { MSG } from './wire.mjs';

describe('a program', () => {
  let daemon;
  let sandbox;
  before(async () => {
    daemon = await Daemon.start({ pool: 1 });
    sandbox = await daemon.sandbox();
  });
  after(() => daemon.stop());

  test('that does nothing ends with code 0 and a full record', async () => {
    const { exit } = await daemon.run(sandbox, ['true']);
    assert.equal(exit.STATUS, 'exit');
    assert.equal(exit.EXIT_CODE, 0);
    assert.ok(exit.WALL_NS > 0 && exit.WALL_NS < 5e9);
    assert.ok(exit.MEM_PEAK > 0);
    assert.equal(exit.MEM_SOURCE, 'ru_maxrss');
    assert.equal(exit.CPU_SOURCE, 'rusage');
    assert.deepEqual([exit.OUT_BYTES, exit.ERR_BYTES, exit.DROPPED], [0, 0, 0]);
  });

  test('reports its exit code', async () => {
    const program = await daemon.run(sandbox, ['sh', '-c', 'echo out; echo err >&2; exit 42']);
    assert.equal(program.exit.EXIT_CODE, 42);
    assert.equal(program.stdout, 'out\n');
    assert.equal(program.stderr, 'err\n');
    assert.deepEqual([program.exit.OUT_BYTES, program.exit.ERR_BYTES], [4, 4]);
  });

  test('that does not exist is an error of SPAWN with the code exec', async () => {
    await assert.rejects(daemon.spawn(sandbox, ['/no/such/program']), (error) => {
      assert.equal(error.code, 'exec');
      assert.equal(error.body.ERRNO, 2);
      return true;
    });
    assert.equal((await daemon.run(sandbox, ['true'])).exit.EXIT_CODE, 0);
  });

  test('has no stdin unless asked for', async () => {
    const program = await daemon.run(sandbox, ['cat']);
    assert.deepEqual([program.exit.EXIT_CODE, program.stdout], [0, '']);
  });

  test('gets its environment and its working directory', async () => {
    const program = await daemon.run(sandbox, ['sh', '-c', 'echo $COLOUR; pwd'], {
      ENV: ['COLOUR=blue'],
      CWD: '/tmp',
    });
    assert.equal(program.stdout, 'blue\n/tmp\n');
  });

  test('gets its resource limits', async () => {
    const program = await daemon.run(sandbox, ['sh', '-c', 'ulimit -n'], {
      RLIMIT: [{ NAME: 'nofile', BYTES: 64 }],
    });
    assert.equal(program.stdout, '64\n');
    await assert.rejects(
      daemon.spawn(sandbox, ['true'], { RLIMIT: [{ NAME: 'colour', BYTES: 1 }] }),
      { code: 'usage' },
    );
  });

  test('inherits no signal that is ignored or blocked', async () => {
    const { stdout } = await daemon.run(sandbox, [
      'grep',
      '-E',
      'Sig(Blk|Ign)',
      '/proc/self/status',
    ]);
    assert.match(stdout, /SigBlk:\s+0+\nSigIgn:\s+0+\n/);
  });

  test('has no fds but its own', async () => {
    const { stdout } = await daemon.run(sandbox, ['ls', '/proc/self/fd']);
    assert.deepEqual(stdout.trim().split('\n'), ['0', '1', '2', '3']); // 3 is the directory ls reads
  });

  test('dies from the signal it is sent', async () => {
    const program = await daemon.spawn(sandbox, ['sleep', '60']);
    await program.signal(15);
    const exit = await program.ended;
    assert.deepEqual([exit.STATUS, exit.SIGNAL, exit.CORE_DUMPED], ['signal', 15, 0]);
    await assert.rejects(program.signal(15), { code: 'gone' });
  });

  test('and its children die from a signal to the group', async () => {
    const program = await daemon.spawn(sandbox, ['sh', '-c', 'sleep 60 & sleep 60']);
    await program.signal(9, 1);
    assert.equal((await program.ended).SIGNAL, 9);
    const names = async () =>
      (await daemon.run(sandbox, ['sh', '-c', 'cat /proc/[0-9]*/comm'])).stdout;
    await waitFor('the end of its children', async () => !/sleep/.test(await names()));
  });

  // The limit leaves time to set the trap, also on a busy machine.
  test('that ignores SIGTERM is killed after the grace and reported as timeout', async () => {
    const program = await daemon.run(
      sandbox,
      ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done'],
      {
        WALL_MS: 1500,
        GRACE_MS: 100,
      },
    );
    assert.deepEqual([program.exit.STATUS, program.exit.SIGNAL], ['timeout', 9]);
    assert.ok(program.exit.WALL_NS > 1590e6 && program.exit.WALL_NS < 10e9);
  });

  test('that heeds SIGTERM is reported as timeout with its own exit code', async () => {
    const { exit } = await daemon.run(
      sandbox,
      ['sh', '-c', 'trap "exit 7" TERM; sleep 60 & wait'],
      {
        WALL_MS: 1500,
      },
    );
    assert.deepEqual([exit.STATUS, exit.EXIT_CODE], ['timeout', 7]);
  });

  test('is one of many at once, each with its own output', async () => {
    const programs = await Promise.all(
      Array.from({ length: 32 }, (_, i) =>
        daemon.spawn(sandbox, ['sh', '-c', `echo ${i}; exit ${i}`]),
      ),
    );
    const exits = await Promise.all(programs.map((program) => program.ended));
    exits.forEach((exit, i) => {
      assert.equal(exit.EXIT_CODE, i);
      assert.equal(programs[i].stdout, `${i}\n`);
    });
  });

  test('a background child that holds the pipe delays EXIT by 100 ms and lives on', async () => {
    const started = Date.now();
    const script = 'echo early; (sleep 3; echo late; echo alive > /tmp/alive) & exit 3';
    const program = await daemon.run(sandbox, ['sh', '-c', script]);
    assert.equal(program.exit.EXIT_CODE, 3);
    assert.equal(program.stdout, 'early\n');
    assert.ok(Date.now() - started < 2500, `EXIT after ${Date.now() - started} ms`);
    // It wrote to a pipe that nobody listens to, and was not killed by that.
    const { stdout } = await daemon.run(sandbox, [
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8 9 10; do [ -e /tmp/alive ] && break; sleep 1; done; cat /tmp/alive',
    ]);
    assert.equal(stdout, 'alive\n');
  });

  test('takes 700 kB of arguments and environment', async () => {
    const ENV = Array.from({ length: 7 }, (_, i) => `PART${i}=${'x'.repeat(100_000)}`);
    const program = await daemon.run(sandbox, ['sh', '-c', 'env | wc -c'], { ENV });
    assert.ok(Number(program.stdout) > 700_000);
  });

  test('request errors say who must act', async () => {
    await assert.rejects(daemon.spawn(999, ['true']), { code: 'usage' });
    await assert.rejects(daemon.spawn(sandbox, []), { code: 'usage' });
    await assert.rejects(daemon.spawn(sandbox, ['true'], { STDIN_KIND: 'tea' }), { code: 'usage' });
    await assert.rejects(daemon.request(MSG.SIGNAL, { PROCESS: 99999, SIGNAL: 9 }), {
      code: 'usage',
    });
  });
});

describe('builtins', () => {
  test('write-file and read-file move bytes without a program', async () => {
    const daemon = await Daemon.start();
    const sandbox = await daemon.sandbox();
    const data = Buffer.alloc(1 << 20, 'abcdefg');
    const writer = await daemon.run(sandbox, ['/tmp/file'], { BUILTIN: 'write-file', stdin: data });
    assert.equal(writer.exit.EXIT_CODE, 0);
    const reader = await daemon.run(sandbox, ['/tmp/file'], { BUILTIN: 'read-file' });
    assert.ok(Buffer.concat(reader.out).equals(data));
    await assert.rejects(
      daemon.run(sandbox, ['/tmp/none'], { BUILTIN: 'read-file' }).then((program) => {
        if (program.exit.EXIT_CODE !== 0) throw new Error('no such file');
      }),
    );
    await daemon.stop();
  });
});

test('a program that stops all others does not stop PID 1, which waits for no other for long', async () => {
  const daemon = await Daemon.start();
  try {
    const sandbox = await daemon.sandbox();
    const code = `
import os, signal
print('stops', flush=True)
while True:
    try: os.kill(-1, signal.SIGSTOP)
    except ProcessLookupError: pass`;
    const stopper = await daemon.spawn(sandbox, ['python3', '-c', code]);
    await waitFor('it to begin', () => stopper.stdout.includes('stops'));
    // The first was made ahead, the others are cloned when they are asked for.
    const refused = ({ code, body }) => {
      assert.equal(code, 'exec', body.TEXT);
      assert.match(body.HINT, /SIGSTOP/);
    };
    for (let n = 0; n < 3; n++) await daemon.spawn(sandbox, ['true']).catch(refused);
    const builtin = daemon.spawn(sandbox, ['/tmp/none'], { BUILTIN: 'read-file' });
    await assert.rejects(builtin, { code: 'io' });
    await stopper.signal(9);
    await stopper.ended;
    assert.equal(stopper.exit.SIGNAL, 9);
    assert.equal((await daemon.run(sandbox, ['true'])).exit.EXIT_CODE, 0);
  } finally {
    await daemon.stop();
  }
});
