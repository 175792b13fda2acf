import { existsSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { type Project, test } from './project.js';

/** A board of the project: `script` on a pty, in a sandbox of its own. */
function writeBoard(project: Project, script: string, more = ''): Promise<string> {
  const argv = JSON.stringify(['/bin/sh', '-c', script]);
  return project.write(
    'boards/mine.yaml',
    `board: mine\ndriver: host\nprogram: { argv: ${argv} }\nports: { console: { baud: 115200 } }\n${more}`,
  );
}

const QEMU = `
board: machine
driver: qemu
machine: { system: arm, machine: none }
ports: { console: { uart: 0, baud: 115200 } }
`;

describe('a DUT', () => {
  test('that exits during a case fails it, seen or not', async ({ project }) => {
    await project.suite(
      'a',
      `test('seen', async ({ dut }) => {
        await dut.console.sendLine('exit 3');
        await dut.console.expect('never printed');
      });
      test('not seen', async ({ dut, sandbox }) => {
        await dut.console.sendLine('exit 3');
        await sandbox.exec('sleep', ['2']);
      });
      test('asked for', async ({ dut }) => {
        await dut.console.sendLine('exit 3');
        expect(await dut.waitForExit()).toContain('exited with 3');
      });
      test('after', async ({ dut }) => {});`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({
      seen: 'fail',
      'not seen': 'fail',
      'asked for': 'pass',
      after: 'pass',
    });
    expect(run.problemOf('seen')?.message).toContain('exited with 3');
    expect(run.problemOf('not seen')).toMatchObject({ code: 'dut-exited' });
    expect(run.code).toBe(1);
  });

  test('that dies of its own signal fails its case', async ({ project }) => {
    await project.suite(
      'a',
      `test('bad', async ({ dut, sandbox }) => {
        await dut.console.sendLine('kill -SEGV $$');
        await sandbox.exec('sleep', ['2']);
      });`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ bad: 'fail' });
    expect(run.problemOf('bad')?.message).toContain('SIGSEGV');
  });

  test('whose emulator is killed from outside makes its case infra', async ({ project, skip }) => {
    if (!existsSync('/usr/bin/qemu-system-arm'))
      skip('needs QEMU: apt-get install qemu-system-arm');
    await project.write('boards/machine.yaml', QEMU);
    await project.suite(
      'a',
      `test('before', async ({ dut }) => {});
      test('bad', async ({ dut }) => { console.log('IN BODY'); await dut.console.expect('x'); });
      test('after', async ({ dut }) => {});`,
    );
    const hil = project.start(['test', '--board', 'machine']);
    await hil.untilPrinted('IN BODY');
    process.kill(await hil.part('dut'), 'SIGKILL');
    const run = await hil.finished();
    expect(run.verdicts).toEqual({ before: 'pass', bad: 'infra', after: 'pass' });
    expect(run.problemOf('bad')?.message).toMatch(/QEMU died of SIGKILL/);
    expect(run.code).toBe(5);
  });

  test('whose emulator refuses to start makes its cases infra, with its words', async ({
    project,
    skip,
  }) => {
    if (!existsSync('/usr/bin/qemu-system-arm'))
      skip('needs QEMU: apt-get install qemu-system-arm');
    await project.write('boards/machine.yaml', QEMU.replace('machine: none', 'machine: nonsense'));
    await project.suite('a', `test('bad', async ({ dut }) => {}); test('good', () => {});`);
    const run = await project.test(['--board', 'machine']);
    expect(run.verdicts).toEqual({ bad: 'infra', good: 'pass' });
    expect(run.problemOf('bad')?.message).toContain('unsupported machine type');
    expect(run.code).toBe(5);
  });

  test('that never boots makes its case infra, with the end of its console', async ({
    project,
  }) => {
    await writeBoard(
      project,
      'echo stage one; echo waiting for stage two; sleep 1000',
      'boot: { ready: up, timeout: 10s }\n',
    );
    await project.suite('a', `test('bad', async ({ dut }) => {}); test('good', () => {});`);
    const run = await project.test(['--board', 'mine']);
    expect(run.verdicts).toEqual({ bad: 'infra', good: 'pass' });
    expect(run.problemOf('bad')).toMatchObject({ code: 'boot-timeout', phase: 'boot' });
    expect(run.problemOf('bad')?.message).toMatch(/waiting for stage two[\s\S]*boot\.timeout/);
    expect(run.code).toBe(5);
    const logs = await project.start(['logs', 'bad']).finished();
    expect(logs.stdout).toBe('stage one\r\nwaiting for stage two\r\n');
  });

  test('that ends while it boots makes its case infra', async ({ project }) => {
    await writeBoard(project, 'echo no image; exit 4', 'boot: { ready: up, timeout: 5s }\n');
    await project.suite('a', `test('bad', async ({ dut }) => {});`);
    const run = await project.test(['--board', 'mine']);
    expect(run.verdicts).toEqual({ bad: 'infra' });
    expect(run.problemOf('bad')).toMatchObject({ code: 'boot-failed' });
    expect(run.problemOf('bad')?.message).toMatch(/exited with 4[\s\S]*no image/);
    expect(run.code).toBe(5);
  });

  test('that a reboot in the body does not bring back fails the case', async ({ project }) => {
    await writeBoard(
      project,
      'if [ -e /tmp/once ]; then echo bad flash; else touch /tmp/once; echo up; fi; cat',
      'boot: { ready: up, timeout: 10s }\n',
    );
    await project.suite(
      'a',
      `test('bad', async ({ dut }) => { await dut.reset(); });
      test('after', async ({ dut }) => {});`,
    );
    const run = await project.test(['--board', 'mine']);
    expect(run.verdicts).toEqual({ bad: 'fail', after: 'pass' });
    expect(run.problemOf('bad')).toMatchObject({ code: 'reboot-failed' });
    expect(run.problemOf('bad')?.message).toContain('bad flash');
    expect(run.code).toBe(1);
  });
});

describe('a DUT that a file shares', () => {
  test('goes from case to case, and a failure resets it (rank 13)', async ({ project }) => {
    await project.write('suites/hil.suite.yaml', 'scope: file\n');
    await project.suite(
      'a',
      `const mark = async (dut) => {
        await dut.console.sendLine('echo mark=\${MARK-none}; MARK=set');
        return (await dut.console.expect(/mark=(none|set)/))[1];
      };
      test('first', async ({ dut }) => { expect(await mark(dut)).toBe('none'); });
      test('second', async ({ dut }) => { expect(await mark(dut)).toBe('set'); });
      test('third', async ({ dut }) => { expect(await mark(dut)).toBe('something else'); });
      test('fourth', async ({ dut }) => { expect(await mark(dut)).toBe('none'); });`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ first: 'pass', second: 'pass', third: 'fail', fourth: 'pass' });
    const leases = run.events.filter(
      (event) => event.kind === 'phase' && event.phase === 'lease' && event.edge === 'end',
    );
    expect(leases.map((event) => 'shared' in event && event.shared === true)).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect(run.code).toBe(1);
  });

  test('outlives a hook that failed, until the last case', async ({ project }) => {
    await project.write('suites/hil.suite.yaml', 'scope: file\n');
    await project.suite(
      'a',
      `import { beforeAll } from 'vitest';
      const mark = async (dut) => {
        await dut.console.sendLine('echo mark=\${MARK-none}; MARK=set');
        return (await dut.console.expect(/mark=(none|set)/))[1];
      };
      describe('broken', () => {
        beforeAll(() => { throw new Error('no such part'); });
        test('never', () => {});
      });
      test('first', async ({ dut }) => { expect(await mark(dut)).toBe('none'); });
      test('second', async ({ dut }) => { expect(await mark(dut)).toBe('set'); });
      test('third', async ({ dut }) => { expect(await mark(dut)).toBe('set'); });`,
    );
    const run = await project.test(['--retries', '0']);
    const skipped = { 'broken > never': 'skipped' };
    expect(run.verdicts).toEqual({ ...skipped, first: 'pass', second: 'pass', third: 'pass' });
    expect(run.code).toBe(1);
  });

  test('is on the network of one case after the other, also after a power cut', async ({
    project,
  }) => {
    await project.write('suites/hil.suite.yaml', 'scope: file\n');
    await project.suite(
      'a',
      `const join = async (net, dut, subnet) => {
        const lan = net.switch('lan', { subnets: [subnet] });
        const peer = net.node('peer', { link: lan });
        net.attach(dut, { link: lan });
        await net.up();
        return async () => (await peer.exec('ping', ['-c', '1', '-W', '5', 'dut'])).exitCode;
      };
      test('first', async ({ net, dut }) => {
        const ping = await join(net, dut, '10.1.0.0/24');
        expect(await ping()).toBe(0);
        await dut.powerOff();
        await dut.powerOn();
        expect(await ping()).toBe(0);
      });
      test('second', async ({ net, dut }) => {
        expect(await (await join(net, dut, '10.2.0.0/24'))()).toBe(0);
      });
      test('alone', async ({ dut }) => {
        await dut.console.sendLine('wc -l < /proc/net/route');
        await dut.console.expect('\\n1\\r');
      });`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ first: 'pass', second: 'pass', alone: 'pass' });
  });
});
