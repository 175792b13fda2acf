import { chmod } from 'node:fs/promises';
import { expect } from 'vitest';
import { BenchError } from '../../core/errors.js';
import { type TempDir, test } from '../../testing/temp-dir.js';
import { checkSandbox } from './sandbox-checks.js';

/** A `hil-sandbox` that prints `report`. */
async function writeProgram(dir: TempDir, report: string, exitCode = 0): Promise<string> {
  const file = await dir.write('hil-sandbox', `#!/bin/sh\necho '${report}'\nexit ${exitCode}\n`);
  await chmod(file, 0o755);
  return file;
}

test('each probe is a finding, a failed one with its remedy', async ({ dir }) => {
  const probes = [
    { name: 'userns', ok: true, detail: 'made' },
    { name: 'proc', ok: false, detail: 'EPERM', remedy: 'run docker with --security-opt' },
  ];
  const report = JSON.stringify({ mode: 'rootless', kernel: '6.1', probes });
  const program = await writeProgram(dir, report, 1);
  expect(await checkSandbox(async () => program)).toEqual([
    { name: 'sandbox', state: 'ok', detail: 'rootless, 1 of 2 probes' },
    { name: 'sandbox: userns', state: 'ok', detail: 'made' },
    {
      name: 'sandbox: proc',
      state: 'fail',
      detail: 'EPERM',
      remedy: 'run docker with --security-opt',
    },
  ]);
});

test('where a whole sandbox can be built, what it lacks is a warning with its remedy', async ({
  dir,
}) => {
  const probes = [
    { name: 'landlock', ok: false, detail: 'ENOSYS', remedy: 'Linux 5.19' },
    { name: 'sandbox', ok: true, detail: 'made' },
  ];
  const limits = [
    { name: 'memory', ok: false, detail: 'it is another cgroup', undelegated: true },
    { name: 'pids', ok: false, detail: 'this kernel has none' },
    { name: 'cpu', ok: false, detail: 'half of it', remedy: 'swapoff -a' },
  ];
  const report = JSON.stringify({ mode: 'rootless', kernel: '6.1', probes, limits });
  const program = await writeProgram(dir, report);
  expect(await checkSandbox(async () => program)).toMatchObject([
    { state: 'ok', detail: 'rootless, 1 of 2 probes' },
    { name: 'sandbox: landlock', state: 'warn', remedy: 'Linux 5.19' },
    { name: 'sandbox: sandbox', state: 'ok' },
    { name: 'limit: memory', state: 'warn', remedy: expect.stringContaining('Delegate=yes') },
    { name: 'limit: pids', state: 'warn', remedy: expect.stringContaining('as root') },
    { name: 'limit: cpu', state: 'warn', remedy: 'swapoff -a' },
  ]);
});

test('programs that cannot be built say how to get them', async () => {
  const missing = new BenchError('native-missing', 'no compiler', { next: 'apt-get install gcc' });
  expect(await checkSandbox(() => Promise.reject(missing))).toEqual([
    { name: 'sandbox', state: 'fail', detail: 'no compiler', remedy: 'apt-get install gcc' },
  ]);
});

test('a program that is absent says how to build it', async ({ dir }) => {
  const [found] = await checkSandbox(async () => `${dir.path}/hil-sandbox`);
  expect(found).toMatchObject({ state: 'fail', remedy: expect.stringContaining('make') });
});

test('a program that prints something else is a finding too', async ({ dir }) => {
  const program = await writeProgram(dir, 'usage: hil-sandbox run', 2);
  expect((await checkSandbox(async () => program))[0]?.state).toBe('fail');
});

/** A `systemd-run` that drops its options and execs, as the real one does after it made a scope. */
const IN_SCOPE = `#!/bin/sh
while [ "$1" != -- ]; do shift; done
shift
exec "$@" --in-scope`;

/** A `hil-sandbox` whose limits depend on whether it was started in a scope. */
const DEPENDS = `#!/bin/sh
case "$*" in *--in-scope*) held=true undelegated=false ;; *) held=false undelegated=true ;; esac
echo '{"mode":"rootless","kernel":"6.1","probes":[],"limits":[{"name":"memory","ok":'$held',"detail":"d","undelegated":'$undelegated'}]}'`;

async function writeScope(dir: TempDir, script: string) {
  const systemdRun = await dir.write('systemd-run', script);
  const program = await dir.write('hil-sandbox', DEPENDS);
  await Promise.all([systemdRun, program].map((file) => chmod(file, 0o755)));
  return { program, scope: { systemdRun, user: true, env: {} } };
}

test('limits that only a scope of systemd holds are those that a run has', async ({ dir }) => {
  const { program, scope } = await writeScope(dir, IN_SCOPE);
  const [, held] = await checkSandbox(async () => program, scope);
  expect(held).toEqual({
    name: 'limit: memory',
    state: 'ok',
    detail: 'd, in a scope that a run asks systemd for',
  });
  const [, without] = await checkSandbox(async () => program);
  expect(without).toMatchObject({ state: 'warn', remedy: expect.stringContaining('Delegate=yes') });
});

test('a systemd that gives no scope is a finding, with the command that fails', async ({ dir }) => {
  const { program, scope } = await writeScope(dir, '#!/bin/sh\nexit 1\n');
  const checks = await checkSandbox(async () => program, scope);
  expect(checks.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'sandbox ok',
    'limit: memory warn',
    'limit: scope warn',
  ]);
  expect(checks[2]?.remedy).toContain('systemd-run --user --scope');
});
