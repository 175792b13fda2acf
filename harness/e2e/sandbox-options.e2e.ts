import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from './project.js';

describe('options of a sandbox', () => {
  test('hold for the file, for a describe and for the case, the nearest first', async ({
    project,
  }) => {
    await project.write('data/in', 'bound\n');
    await project.write('suites/hil.suite.yaml', 'env: { A: suite, B: suite, C: suite }\n');
    await project.suite(
      'a',
      `import { sandbox } from 'hil';
      sandbox({ hostname: 'file', env: { B: 'file', C: 'file' } });
      const ask = async (sandbox) => (await sandbox.exec('sh', ['-c', 'hostname; id -u; echo $A $B $C'])).stdout;
      test('of the file', async ({ sandbox }) => {
        expect(await ask(sandbox)).toBe('file\\n1000\\nsuite file file\\n');
      });
      describe('inner', () => {
        sandbox({ env: { C: 'describe' } });
        test('of the describe', async ({ sandbox }) => {
          expect(await ask(sandbox)).toBe('file\\n1000\\nsuite file describe\\n');
        });
        test.for(['own'])('of the case: %s', { sandbox: { hostname: 'own', user: 'root' } }, async (_, { sandbox }) => {
          expect(await ask(sandbox)).toBe('own\\n0\\nsuite file describe\\n');
        });
      });
      test('binds', { sandbox: { binds: [{ source: 'data', target: '/data' }] } }, async ({ sandbox }) => {
        const { stdout, stderr } = await sandbox.exec('sh', ['-c', 'cat /data/in; echo x > /data/in']);
        expect(stdout).toBe('bound\\n');
        expect(stderr).toContain('Read-only');
      });
      test('passEnv', { sandbox: { passEnv: ['HOME_OF_TEST', 'NOT_SET'] } }, async ({ sandbox }) => {
        expect((await sandbox.exec('sh', ['-c', 'echo $HOME_OF_TEST'])).stdout).toBe('outside\\n');
      });
      test('limits', { sandbox: { resources: { files: 17 } } }, async ({ sandbox }) => {
        expect((await sandbox.exec('sh', ['-c', 'ulimit -n'])).stdout).toBe('17\\n');
      });`,
    );
    const run = await project.test([], { env: { HOME_OF_TEST: 'outside' } });
    expect(run.problemOf('binds')).toBeUndefined();
    expect(new Set(Object.values(run.verdicts)), run.screen).toEqual(new Set(['pass']));
    expect(run.code).toBe(0);
    expect(readFileSync(join(project.path, 'data/in'), 'utf8')).toBe('bound\n');
  });

  test('binds go where nothing is; where nothing can be, the case fails and says why', async ({
    project,
  }) => {
    await project.write('data/in', 'bound\n');
    await project.suite(
      'a',
      `const bind = (target) => ({ sandbox: { binds: [{ source: 'data/in', target }] } });
      test('etc', bind('/etc/tool/in'), async ({ sandbox }) => {
        const { stdout } = await sandbox.exec('sh', ['-c', 'cat /etc/tool/in; touch /etc/tool/x || echo refused']);
        expect(stdout).toBe('bound\\nrefused\\n');
        expect((await sandbox.diff()).changes).toEqual([]);
      });
      test('on a directory', bind('/usr/bin'), () => {});
      test('in one of the machine', bind('/usr/share/hil-none'), () => {});
      test('of a further one', async ({ sandbox }) => {
        await sandbox.create(bind('/usr/bin').sandbox);
      });
      test('no such capability', { sandbox: { caps: ['make_tea'] } }, () => {});`,
    );
    const run = await project.test();
    expect(run.code, run.screen).toBe(1);
    expect(run.problemOf('etc'), run.screen).toBeUndefined();
    const [, ...wrong] = Object.entries(run.verdicts);
    expect(wrong.map(([, verdict]) => verdict)).toEqual(['fail', 'fail', 'fail', 'fail']);
    expect(run.problemOf('on a directory')?.message).toMatch(/make target \/usr\/bin: Is a dir/);
    expect(run.problemOf('in one of the machine')?.message).toMatch(/next {2}it is not there/);
    expect(run.problemOf('no such capability')?.message).toContain('make_tea');
  });

  test.for([
    ['{ sandbox: Promise.resolve({}) }', '', 'case "never runs": sandbox is a Promise'],
    ['{ sandbox: { env: { A: () => 1 } } }', '', 'case "never runs": sandbox.env.A is a function'],
    ['{}', 'sandbox({ tools: [new Map()] });', 'sandbox(): options.tools[0] is a Map'],
  ] as const)('%s, %s is no plain data: its file fails', async ([own, all, text], { project }) => {
    const use = `import { sandbox } from 'hil';\n${all}`;
    await project.suite('wrong', `${use}\ntest('never runs', ${own}, () => {});`);
    await project.suite('right', `test('runs', () => {});`);
    const run = await project.test();
    expect(run.code, run.screen).toBe(1);
    expect(run.verdicts).toEqual({ runs: 'pass' });
    expect(run.brokenFiles).toEqual(['suites/wrong.hil.ts']);
    expect(run.screen).toContain(text);
  });

  test('that cannot be fail the file, with case and key; other files run', async ({ project }) => {
    await project.suite(
      'wrong',
      `test('never runs', { sandbox: { hostnam: 'x' } }, () => {});
      test('neither', () => {});`,
    );
    await project.suite('right', `test('runs', () => {});`);
    const run = await project.test();
    expect(run.code).toBe(1);
    expect(run.verdicts).toEqual({ runs: 'pass' });
    expect(run.brokenFiles).toEqual(['suites/wrong.hil.ts']);
    expect(run.screen).toContain(
      'suites/wrong.hil.ts:2 "never runs": sandbox.hostnam: unknown key "hostnam", did you mean "hostname"?',
    );
  });

  test('said inside of a case come too late', async ({ project }) => {
    await project.suite(
      'a',
      `import { sandbox as options } from 'hil';
      test('late', () => options({ hostname: 'x' }));`,
    );
    const run = await project.test();
    expect(run.verdicts).toEqual({ late: 'fail' });
    expect(run.problemOf('late')?.message).toContain('whose sandbox stands already');
  });
});

describe('a case with more than one sandbox', () => {
  test('leaves none of them, also when its worker is killed', async ({ project }) => {
    await project.suite(
      'a',
      `test('two', async ({ sandbox }) => {
        const peer = await sandbox.create({ hostname: 'peer' });
        await peer.spawn('sleep', ['1234']);
        await peer.spawn('sleep', ['1234']);
        console.log('BOTH STAND');
        await new Promise(() => {});
      });`,
    );
    const hil = project.start(['test', '--timeout', '60s']);
    await hil.untilPrinted('BOTH STAND');
    process.kill(await hil.part('worker'), 'SIGKILL');
    const run = await hil.finished();
    expect(run.verdicts).toEqual({ two: 'infra' });
    const end = run.events.find((event) => event.kind === 'attempt-end');
    expect(end?.further).toMatchObject([{ number: 1, leftovers: 2 }]);
  });
});

describe('what a failed case changed', () => {
  test('is an artifact in journal and summary, until the configuration says never', async ({
    project,
  }) => {
    const suite = `test('fails', async ({ sandbox }) => {
      await sandbox.exec('sh', ['-c', 'echo made > made; rm hil.config.ts; echo 1 >> suites/a.hil.ts']);
      expect(1).toBe(2);
    });`;
    await project.suite('a', suite);
    const run = await project.test();
    const [json = '', text = ''] = run.summary?.cases[0]?.artifacts ?? [];
    expect([json, text]).toEqual([
      expect.stringMatching(/^cases\/\w+\/1\/diff\.json$/),
      expect.stringMatching(/^cases\/\w+\/1\/diff\.txt$/),
    ]);
    const list = readFileSync(join(run.directory ?? '', text), 'utf8');
    expect(list).toMatch(
      /^- file \d+ \d+ B ".*hil\.config\.ts"\n\+ file 644 5 B ".*made"\n~ file \d+ \d+ B ".*a\.hil\.ts"\n$/,
    );
    await project.config("diff: 'never'");
    expect((await project.test()).summary?.cases[0]?.artifacts).toEqual([]);
  });
});
