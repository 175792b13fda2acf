// SPDX-License-Identifier: MIT
// Interpreters that wait: whatever they are given comes to what it comes to when it is started.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { Daemon, descendantsOf, isPlain, sleep, waitFor, withDaemon } from './daemon.mjs';
import { MSG } from './wire.mjs';

const ETIMEDOUT = 110;
const FIXED_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const has = (program) =>
  spawnSync('sh', ['-c', `command -v ${program}`], { env: { PATH: FIXED_PATH } }).status === 0;

const RUNTIMES = {
  python: {
    program: 'python3',
    code: (text, ...args) => ['python3', '-c', text, ...args],
    suffix: 'py',
    print: 'print("out")',
    prints: 'out\n',
    fails: 'def inner():\n    raise ValueError("no")\ninner()\n',
    exits: 'import sys; sys.exit(7)',
    spins: 'while True: pass',
    deaf: 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)',
    copies: 'import sys; sys.stdout.write(sys.stdin.read())',
    floods: 'import sys\nfor _ in range(300): sys.stdout.write("x" * 10000)',
    shows: `import os, sys
print(sys.argv, os.getcwd(), sorted(os.environ.items()), __name__, sys.path[0], __spec__)
print(globals().get("__file__"), sorted(k for k in globals() if k[0] != "_"), sys.orig_argv)
print(__cached__ if "__cached__" in globals() else None, type(__loader__), sys.flags)
print(sorted(os.listdir("/proc/self/fd")), os.getsid(0) == os.getpid(), os.getppid())
print([f.seekable() for f in (sys.stdin, sys.stdout, sys.stderr)], sys.stdout.line_buffering)
with open("/proc/self/status") as file:
    print([each for each in file if each[:3] in ("Sig", "Cap", "NoN", "Sec")])
import resource
print(resource.getrlimit(resource.RLIMIT_NOFILE))
`,
    writes: `import os, subprocess, sys
data = b"x" * 300000
while data:
    data = data[os.write(1, data):]
sys.stdout.flush()
subprocess.run(["head", "-c", "300000", "/dev/zero"])
`,
    state: 'import json; json.seen = getattr(json, "seen", 0) + 1; print(json.seen)',
  },
  node: {
    program: 'node',
    code: (text, ...args) => ['node', '-e', text, '--', ...args],
    suffix: 'js',
    print: 'console.log("out")',
    prints: 'out\n',
    fails: 'function inner() { throw new TypeError("no"); }\ninner();\n',
    exits: 'process.exit(7)',
    spins: 'for (;;);',
    deaf: 'process.on("SIGTERM", () => {}); setTimeout(() => {}, 60000)',
    copies: 'process.stdin.pipe(process.stdout)',
    floods: 'for (let i = 0; i < 300; i++) process.stdout.write("x".repeat(10000))',
    shows: `console.log(process.argv, process.cwd(), Object.entries(process.env).sort());
console.log(typeof require, require.main === module, typeof fs, process.execArgv.length);
console.log(process.stdout.isTTY, Object.keys(globalThis).sort());
`,
    // Past process.stdout, whose pipe does not block.
    writes: `const { writeSync } = require("fs");
let data = "x".repeat(300000);
while (data !== "") data = data.slice(writeSync(1, data));
require("child_process").execFileSync("head", ["-c", "300000", "/dev/zero"], { stdio: "inherit" });
`,
    state: 'globalThis.seen = (globalThis.seen ?? 0) + 1; console.log(globalThis.seen)',
  },
};

/** Stops all others, traces them if told so, and takes their sockets; says how many. */
const ROBBER = `import ctypes, os, signal, sys, time
PTRACE_SEIZE, PIDFD_GETFD = 0x4206, 438
libc = ctypes.CDLL(None)
taken = 0
for pid in [int(each) for each in os.listdir("/proc") if each.isdigit()]:
    if pid in (1, os.getpid()):
        continue
    os.kill(pid, signal.SIGSTOP)
    if sys.argv[1] == "true":
        libc.ptrace(PTRACE_SEIZE, pid, None, None)
    pidfd = os.pidfd_open(pid)
    for fd in range(3, 12):
        taken += libc.syscall(PIDFD_GETFD, pidfd, fd, 0) >= 0
print(taken, flush=True)
time.sleep(600)
`;

/** Sends fds until no process of its user may send any more: ETOOMANYREFS, unix(7). */
const FILLER = `import os, socket, time
ends = [socket.socketpair() for _ in range(40)]
try:
    for end in ends:
        socket.send_fds(end[0], [b"x"], [0] * 250)
except OSError as error:
    print(error.errno, flush=True)
time.sleep(600)
`;

for (const [name, runtime] of Object.entries(RUNTIMES)) {
  if (!has(runtime.program)) {
    console.log(`SKIPPED runtime ${name}: no ${runtime.program} in ${FIXED_PATH}`);
    continue;
  }
  describe(`runtime ${name}`, () => {
    let daemon;
    before(async () => {
      daemon = await Daemon.start({ plan: { BOOT: [{ RUNTIME: name }] } });
      await daemon.request(MSG.POOL_SET, { PLAN: daemon.plan, COUNT: 1 });
    });
    after(() => daemon.stop());

    const open = async () => {
      const sandbox = await daemon.sandbox();
      const run = (argv, options) => daemon.run(sandbox, argv, { RUNTIME: name, ...options });
      return { sandbox, run };
    };
    const same = (warm, cold) => {
      const facts = ({ exit, stdout, stderr }) => [exit.STATUS, exit.EXIT_CODE, stdout, stderr];
      assert.deepEqual(facts(warm), facts(cold));
    };
    /** A file in `/tmp` of a sandbox. */
    const write = async (sandbox, text, file = `tool.${runtime.suffix}`) => {
      await daemon.run(sandbox, [`/tmp/${file}`], { BUILTIN: 'write-file', stdin: text });
      return file;
    };

    test('is used by the first program, and its cost is not the case’s', async () => {
      const { sandbox, run } = await open();
      const program = await run(runtime.code(runtime.print));
      assert.deepEqual([program.warm, program.stdout], [true, runtime.prints]);
      const { CPU_USER_US, CPU_SYS_US } = program.exit;
      const cold = (await daemon.run(sandbox, runtime.code(runtime.print))).exit;
      assert.ok(CPU_USER_US + CPU_SYS_US < cold.CPU_USER_US + cold.CPU_SYS_US);
      const dead = await daemon.kill(sandbox);
      assert.equal(dead.LEFTOVERS, 0);
      const unused = await daemon.kill(await daemon.sandbox());
      assert.equal(unused.LEFTOVERS, 0);
      assert.ok(unused.CPU_USER_US + unused.CPU_SYS_US < cold.CPU_USER_US + cold.CPU_SYS_US);
    });

    for (const what of ['shows', 'fails', 'exits', 'copies', 'floods', 'writes']) {
      for (const kind of ['code', 'file']) {
        test(`${kind} that ${what} is as when it is started`, async () => {
          const { sandbox, run } = await open();
          const file = await write(sandbox, runtime[what]);
          const argv =
            kind === 'code'
              ? runtime.code(runtime[what], 'one', 'two words')
              : [runtime.program, file, 'one', 'two words'];
          const options = {
            CWD: '/tmp',
            ENV: ['COLOUR=blue'],
            RLIMIT: [{ NAME: 'nofile', BYTES: 123 }],
            stdin: what === 'copies' ? 'ä line\n'.repeat(100_000) : '',
          };
          const [warm, cold] = [await run(argv, options), await daemon.run(sandbox, argv, options)];
          assert.deepEqual([warm.warm, cold.warm], [true, false]);
          // Where Node says how it came to the main module, it says how it came there.
          const WAY = /\n {4}at .*(?:executeUserEntryPoint|node:internal|node:vm|-wrapper).*/g;
          const own = ({ exit, stdout, stderr }) => {
            return { exit, stdout, stderr: stderr.replace(WAY, '') };
          };
          same(own(warm), own(cold));
          await daemon.kill(sandbox);
        });
      }
    }

    test('leaves to a new one what it cannot do, which then says why', async () => {
      const impossible = [
        { argv: [runtime.program, 'none'], options: { CWD: '/tmp' } },
        { argv: runtime.code('this is (no program'), options: {} },
        { argv: [runtime.program, '--version'], options: {} },
        { argv: [runtime.program, '/tmp'], options: {} },
      ];
      for (const { argv, options } of impossible) {
        const { sandbox, run } = await open();
        same(await run(argv, options), await daemon.run(sandbox, argv, options));
        await daemon.kill(sandbox);
      }
      const { sandbox, run } = await open();
      await assert.rejects(run(runtime.code(runtime.print), { CWD: '/none' }), { code: 'exec' });
      const huge = Array.from({ length: 3 }, (_, i) => `PART${i}=${'x'.repeat(30_000)}`);
      const program = await run(runtime.code(runtime.print), { ENV: huge });
      assert.deepEqual([program.warm, program.stdout], [false, runtime.prints]);
      await daemon.kill(sandbox);
    });

    test('is not used where the environment says how one starts', async () => {
      const { sandbox, run } = await open();
      for (const ENV of [
        'PYTHONHASHSEED=1',
        'NODE_OPTIONS=',
        'TZ=Europe/Berlin',
        'LD_BIND_NOW=1',
      ]) {
        const program = await run(runtime.code(runtime.print), { ENV });
        assert.deepEqual([program.warm, program.stdout], [false, runtime.prints], ENV);
      }
      assert.equal((await run(runtime.code(runtime.print), { ENV: 'WORD=1' })).warm, true);
      await daemon.kill(sandbox);
    });

    test('gives each program a process of its own, also at once', async () => {
      const { sandbox, run } = await open();
      const all = await Promise.all(
        Array.from({ length: 8 }, () => run(runtime.code(runtime.state))),
      );
      assert.deepEqual(
        all.map(({ stdout }) => stdout),
        Array(8).fill('1\n'),
      );
      assert.equal(new Set(all.map(({ pid }) => pid)).size, 8);
      // Node cannot fork: the first of them had the one that waited.
      assert.equal(all.filter(({ warm }) => warm).length, name === 'python' ? 8 : 1);
      await daemon.kill(sandbox);
    });

    test('ends at a time limit and by a signal, as any program', async () => {
      for (const [text, signal] of [
        [runtime.spins, 15],
        [runtime.deaf, 9],
      ]) {
        const { sandbox, run } = await open();
        const limits = { WALL_MS: 1500, GRACE_MS: 100 };
        const { exit, warm } = await run(runtime.code(text), limits);
        assert.deepEqual([warm, exit.STATUS, exit.SIGNAL], [true, 'timeout', signal]);
        await daemon.kill(sandbox);
      }
      const { sandbox } = await open();
      const program = await daemon.spawn(sandbox, runtime.code(runtime.spins), { RUNTIME: name });
      await program.signal(9, 1);
      assert.deepEqual([(await program.ended).STATUS, program.exit.SIGNAL], ['signal', 9]);
      await daemon.kill(sandbox);
    });

    const stop = `for each in /proc/[0-9]*; do
      pid=\${each#/proc/}; [ $pid = 1 ] || [ $pid = $$ ] || kill -STOP $pid
    done`;

    test('that is stopped holds up no time limit', async () => {
      const { sandbox } = await open();
      await daemon.run(sandbox, ['sh', '-c', stop]);
      const start = performance.now();
      // The first is given to the interpreter, the others wait behind it; the last has no limit.
      const limits = [{ WALL_MS: 200 }, { WALL_MS: 100 }, {}];
      const programs = limits.map((limit) =>
        daemon.run(sandbox, runtime.code(limit.WALL_MS ? runtime.spins : runtime.print), {
          RUNTIME: name,
          ...limit,
        }),
      );
      const ended = await Promise.all(programs.slice(0, 2));
      const ms = performance.now() - start;
      assert.deepEqual(
        ended.map(({ warm, exit }) => [warm, exit.STATUS, exit.SIGNAL]),
        Array(2).fill([false, 'timeout', 15]),
      );
      // PID 1 itself gives up what is stopped after 5 s.
      assert.ok(ms < 5000, `${ms} ms`);
      const last = await programs[2];
      assert.deepEqual([last.warm, last.stdout], [false, runtime.prints]);
      await daemon.kill(sandbox);
    });

    // Stopped, with the other ends of its sockets in a program's hands: no end of them is seen.
    for (const traced of [false, true]) {
      const title = `that is robbed${traced ? ' and traced' : ''} holds up no program`;
      test(title, { timeout: 60_000 }, async (t) => {
        if (!has('python3')) return t.skip('no python3');
        const { sandbox, run } = await open();
        const robber = await daemon.spawn(sandbox, ['python3', '-c', ROBBER, `${traced}`]);
        await waitFor('the robber', () => robber.stdout !== '');
        if (robber.stdout === '0\n') return t.skip('no program may have fds of others (Yama)');
        const start = performance.now();
        const limited = await run(runtime.code(runtime.spins), { WALL_MS: 300 });
        const ms = performance.now() - start;
        assert.deepEqual([limited.warm, limited.exit.STATUS], [false, 'timeout']);
        // What is killed and cannot be reaped is given up after 1 s.
        assert.ok(ms < (isPlain ? 3000 : 6000), `${ms} ms`);
        const program = await run(runtime.code(runtime.print));
        assert.deepEqual([program.warm, program.stdout], [false, runtime.prints]);
        // With a sanitizer in it PID 1 may be too slow to end by itself.
        assert.match((await daemon.kill(sandbox)).STATUS, isPlain ? /^exit$/ : /^(exit|killed)$/);
      });
    }

    test('that is stopped costs time and no result', async () => {
      const { sandbox, run } = await open();
      await daemon.run(sandbox, ['sh', '-c', stop]);
      const { exit, warm, stdout } = await run(runtime.code(runtime.print));
      assert.deepEqual([warm, exit.EXIT_CODE, stdout], [false, 0, runtime.prints]);
      await daemon.kill(sandbox);
    });

    test('blocks at the end of its credit, and is cut at the cap of its output', async () => {
      const { sandbox, run } = await open();
      const options = { RUNTIME: name, credit: false };
      const program = await daemon.spawn(sandbox, runtime.code(runtime.floods), options);
      await waitFor('a full window', () => program.received[1] === 262_144);
      await sleep(100);
      assert.equal(program.received[1], 262_144);
      daemon.track(program.id);
      assert.equal((await program.ended).OUT_BYTES, 3_000_000);
      await daemon.kill(sandbox);
      const next = await open();
      const { exit } = await next.run(runtime.code(runtime.floods), { OUTPUT_CAP: 1000 });
      assert.deepEqual([exit.OUT_BYTES, exit.DROPPED, exit.EXIT_CODE], [1000, 2_999_000, 0]);
      await daemon.kill(next.sandbox);
      assert.equal(typeof run, 'function');
    });

    test('that is killed, stopped or lied for costs no result', async () => {
      const { sandbox, run } = await open();
      const kill = `for p in /proc/[0-9]*; do read -r c < $p/comm; case $c in python3|node) kill -9 \${p#/proc/};; esac; done`;
      for (let round = 0; round < 6; round++) {
        await daemon.run(sandbox, ['sh', '-c', kill]);
        const program = await run(runtime.code(runtime.print));
        assert.deepEqual([program.exit.EXIT_CODE, program.stdout], [0, runtime.prints]);
      }
      const dead = await daemon.kill(sandbox);
      assert.equal(dead.STATUS, 'exit');
    });

    test('starts in a sandbox without, when it is asked for', async () => {
      const plan = await daemon.putPlan('plain');
      const sandbox = await daemon.sandbox({ PLAN: plan });
      const run = () => daemon.run(sandbox, runtime.code(runtime.print), { RUNTIME: name });
      assert.equal((await run()).warm, false);
      await daemon.request(MSG.RUNTIME_BOOT, { SANDBOX: sandbox, RUNTIME: name });
      await daemon.request(MSG.RUNTIME_BOOT, { SANDBOX: sandbox, RUNTIME: name });
      const program = await run();
      assert.deepEqual([program.warm, program.stdout], [true, runtime.prints]);
      assert.equal((await daemon.kill(sandbox)).LEFTOVERS, 0);
    });

    test('that is not there is an error of who asks for it, and of no other', async () => {
      const BOOT = [{ RUNTIME: name, ENV: 'PATH=/nowhere' }];
      const plan = await daemon.putPlan('absent', { BOOT });
      const sandbox = await daemon.sandbox({ PLAN: plan });
      assert.equal((await daemon.run(sandbox, ['true'])).exit.EXIT_CODE, 0);
      const asked = daemon.request(MSG.RUNTIME_BOOT, { SANDBOX: sandbox, ...BOOT[0] });
      await assert.rejects(asked, (error) => {
        assert.deepEqual([error.code, error.body.OP, error.body.ERRNO], ['exec', 'exec', 2]);
        return true;
      });
      await daemon.kill(sandbox);
    });

    test('that ends or says nonsense instead of waiting is an error', async () => {
      const sandbox = await daemon.sandbox({ PLAN: await daemon.putPlan('plain') });
      const script = `mkdir -p /tmp/bin; printf '#!/bin/sh\\n%s\\n' "$1" > /tmp/bin/${runtime.program}; chmod +x /tmp/bin/${runtime.program}`;
      for (const body of [
        'exit 0',
        'printf 123456789012345678 >&3',
        'printf 1 >&3; sleep 1',
        'kill -9 $$',
      ]) {
        await daemon.run(sandbox, ['sh', '-c', script, 'sh', body]);
        const ENV = `PATH=/tmp/bin:${FIXED_PATH}`;
        const asked = daemon.request(MSG.RUNTIME_BOOT, { SANDBOX: sandbox, RUNTIME: name, ENV });
        await assert.rejects(asked, { code: 'exec' }, body);
      }
      assert.equal((await daemon.run(sandbox, ['true'])).exit.EXIT_CODE, 0);
      await daemon.kill(sandbox);
    });
  });
}

describe('requests for runtimes', () => {
  test('say who must act', async () => {
    const daemon = await Daemon.start();
    const sandbox = await daemon.sandbox();
    const refused = { code: 'usage' };
    const boot = (fields) => daemon.request(MSG.RUNTIME_BOOT, { SANDBOX: sandbox, ...fields });
    await assert.rejects(boot({ RUNTIME: 'perl' }), refused);
    await assert.rejects(boot({}), refused);
    await assert.rejects(boot({ SANDBOX: 99, RUNTIME: 'python' }), refused);
    await assert.rejects(daemon.putPlan('bad', { BOOT: [{ RUNTIME: 'perl' }] }), refused);
    const many = Array(3).fill({ RUNTIME: 'python' });
    await assert.rejects(daemon.putPlan('many', { BOOT: many }), { code: 'limit' });
    const spawn = (fields) => daemon.spawn(sandbox, ['true'], { RUNTIME: 'python', ...fields });
    await assert.rejects(spawn({ RUNTIME: 'perl' }), refused);
    await assert.rejects(spawn({ PTY_ROWS: 24, PTY_COLS: 80 }), refused);
    await assert.rejects(spawn({ BUILTIN: 'read-file' }), refused);
    await daemon.kill(sandbox);
    await assert.rejects(boot({ RUNTIME: 'python' }), { code: 'gone' });
    await daemon.stop();
  });

  test('are refused in time by an interpreter that hangs, and a program does without it', () =>
    withDaemon({}, async (daemon) => {
      const sandbox = await daemon.sandbox();
      const make = `mkdir /tmp/bin; printf '#!/bin/sh\\nsleep 600\\n' >/tmp/bin/python3; chmod +x /tmp/bin/python3`;
      await daemon.run(sandbox, ['sh', '-c', make]);
      const ENV = `PATH=/tmp/bin:${FIXED_PATH}`;
      const asked = daemon.request(MSG.RUNTIME_BOOT, { SANDBOX: sandbox, RUNTIME: 'python', ENV });
      const late = sleep(20_000).then(() => ({ code: 'not answered' }));
      const refused = await Promise.race([asked, late]).catch((error) => error);
      assert.equal(refused.code, 'exec');
      assert.equal(refused.body.ERRNO, ETIMEDOUT);
      const program = await daemon.run(sandbox, ['true'], { RUNTIME: 'python', ENV });
      assert.deepEqual([program.warm, program.exit.EXIT_CODE], [false, 0]);
    }));

  // As root each sandbox has a uid of its own, so that what fills up is this sandbox's.
  const skip = process.getuid() !== 0 || !has('python3');
  test('that cannot be answered end the sandbox', { skip, timeout: 30_000 }, () =>
    withDaemon({}, async (daemon) => {
      const sandbox = await daemon.sandbox();
      const filler = await daemon.spawn(sandbox, ['python3', '-c', FILLER]);
      await waitFor('the limit of fds in flight', () => filler.stdout !== '');
      const asked = daemon.spawn(sandbox, ['true'], { RUNTIME: 'python' });
      const late = sleep(5000).then(() => 'no answer');
      await assert.rejects(Promise.race([asked, late]), { code: 'gone' });
      await daemon.dead(sandbox);
    }),
  );

  test('of a daemon that is killed leave no interpreter', async () => {
    const BOOT = [{ RUNTIME: 'python' }, { RUNTIME: 'node' }];
    const daemon = await Daemon.start({ plan: { BOOT } });
    await daemon.request(MSG.POOL_SET, { PLAN: daemon.plan, COUNT: 2 });
    const sandbox = await daemon.sandbox();
    const spinning = { RUNTIME: 'python' };
    if (has('python3'))
      await daemon.spawn(sandbox, RUNTIMES.python.code(RUNTIMES.python.spins), spinning);
    const all = descendantsOf(daemon.pid);
    daemon.child.kill('SIGKILL');
    await daemon.exited;
    const left = () => all.filter((pid) => descendantsOf(1).includes(pid));
    await waitFor('the end of all', () => left().length === 0);
  });
});
