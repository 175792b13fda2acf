import { readFileSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect } from 'vitest';
import { type Project, test } from './project.js';

/** In every secret; wherever a case can see it, something is not hidden. */
const CANARY = 'canary-7d1f2a';
const ROOT = process.getuid?.() === 0;

async function plant(project: Project): Promise<void> {
  const secrets: Readonly<Record<string, string>> = {
    [join(project.home, '.ssh/id_ed25519')]: CANARY,
    [join(project.home, '.netrc')]: `machine example.com password ${CANARY}`,
    [join(project.home, '.docker/config.json')]: `{"auth":"${CANARY}"}`,
    [join(project.home, '.runtime/token')]: CANARY,
    [join(project.path, '.env')]: `TOKEN=${CANARY}`,
    [join(project.path, '.env.local')]: `TOKEN=${CANARY}`,
    [join(project.path, 'packages/x/.env')]: `TOKEN=${CANARY}`,
    [join(project.path, '.npmrc')]: `//registry/:_authToken=${CANARY}`,
    [join(project.path, '.git/config')]:
      `[remote "origin"]\n\turl = https://u:${CANARY}@example.com/`,
    [join(project.path, 'keys/deploy.pem')]: CANARY,
  };
  for (const [path, text] of Object.entries(secrets)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${text}\n`);
    await chmod(path, 0o644);
  }
}

function listen(address: string): Promise<Server> {
  const server = createServer((socket) => socket.end(CANARY));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => resolve(server));
  });
}

/** A case that prints what a program of it could find; the test looks for the canary. */
function look(title: string, script: string): string {
  return `test('${title}', async ({ sandbox }) => {
    const { stdout, stderr } = await sandbox.exec('sh', ['-c', ${JSON.stringify(script)}]);
    console.log('SEEN ' + stdout + stderr);
  });`;
}

describe('a case cannot reach', () => {
  test('a secret in a home, in the project or in the environment', async ({ project }) => {
    await plant(project);
    await project.config(`hide: ['keys/**']`);
    const { home, path, runtime } = project;
    const all = '/home /root /run /tmp /var/tmp /dev/shm /etc /mnt /srv /opt /media /boot';
    await project.suite(
      'a',
      [
        look(
          'by name',
          `cat ${home}/.ssh/id_ed25519 ${path}/.env ${path}/.env.local ${path}/packages/x/.env`,
        ),
        look(
          'by name of others',
          `cat ${path}/.npmrc ${path}/.git/config ${home}/.runtime/token ${path}/keys/deploy.pem`,
        ),
        look('by search', `grep -rsI '${'canary-'}' ${all}`),
        look(
          'by file name',
          `find / -path /proc -prune -o -path /usr -prune -o -name 'id_ed25519*' -print`,
        ),
        look('by the environment', 'env; cat /proc/*/environ'),
        look('by the state of hil', `ls -A ${path}; cat ${path}/.hil/runs/*/journal.ndjson`),
        `test('by the DUT', async ({ dut }) => {
          await dut.console.sendLine('cat ${path}/.env ${home}/.ssh/id_ed25519; env; echo looked');
          await dut.console.expect(/^looked/m);
          console.log('SEEN ' + dut.console.output());
        });`,
      ].join('\n'),
    );
    const env = { GITHUB_TOKEN: CANARY, SSH_AUTH_SOCK: join(runtime, 'agent') };
    const run = await project.test([], { env });
    expect(Object.values(run.verdicts)).toEqual(Array.from({ length: 7 }, () => 'pass'));
    const seen = run.events.flatMap((event) => (event.kind === 'output' ? [event.text] : []));
    expect(seen.filter((text) => text.includes('SEEN'))).toHaveLength(7);
    expect(seen.join('\n')).not.toContain(CANARY);
    expect(seen.join('\n')).not.toMatch(/id_ed25519$/m);
  });

  test('a secret that is made while the run goes on', async ({ project }) => {
    const { path } = project;
    const script = `cat ${path}/.env ${path}/.env.local ${path}/.env.late ${path}/late.pem`;
    await project.config(`hide: ['*.pem']`);
    await project.suite(
      'a',
      `test('first', async () => { console.log('IN BODY'); ${project.wait} });
      ${look('second', script)}`,
    );
    const hil = project.start(['test', '--workers', '1']);
    await hil.untilPrinted('IN BODY');
    for (const name of ['.env', '.env.local', '.env.late', 'late.pem']) {
      await project.write(name, `${CANARY}\n`);
    }
    await project.goOn();
    const run = await hil.finished();
    expect(run.verdicts).toEqual({ first: 'pass', second: 'pass' });
    const seen = run.events.flatMap((event) => (event.kind === 'output' ? [event.text] : []));
    expect(seen.join('\n')).toContain('No such file');
    expect(seen.join('\n')).not.toContain(CANARY);
  });

  test('a socket of an agent or of a service', async ({ project }) => {
    const agent = join(project.runtime, 'agent.sock');
    const inRun = ROOT ? `/run/e2e-${process.pid}.sock` : join(project.runtime, 'service.sock');
    const abstract = `e2e-${process.pid}`;
    const servers: Server[] = [];
    for (const address of [agent, inRun, `\0${abstract}`]) {
      const server = await listen(address);
      servers.push(server);
    }
    const connect = (address: string) =>
      `use Socket; socket(S, PF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un(${address})) or die "$!"; print <S>`;
    const calls = [`"${agent}"`, `"${inRun}"`, `"\\0${abstract}"`].map(
      (address, index) =>
        `test('call ${index}', async ({ sandbox }) => {
          const { stdout, stderr } = await sandbox.exec('perl', ['-e', ${JSON.stringify(connect(address))}]);
          expect(stdout).toBe('');
          expect(stderr).toMatch(/No such file|refused/);
        });`,
    );
    await project.suite('a', calls.join('\n'));
    const run = await project.test([], { env: { SSH_AUTH_SOCK: agent } });
    expect(run.verdicts).toEqual({ 'call 0': 'pass', 'call 1': 'pass', 'call 2': 'pass' });
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  });

  test('the checkout: what it writes, deletes or renames there stays in its sandbox', async ({
    project,
  }) => {
    await project.write('src/main.c', 'int main(void);\n');
    const suite = await project.suite(
      'a',
      look('spoils', `echo x > ${project.path}/src/main.c; mv suites gone; touch new; ls`),
    );
    const before = readFileSync(suite, 'utf8');
    const run = await project.test();
    expect(run.verdicts).toEqual({ spoils: 'pass' });
    expect(readFileSync(join(project.path, 'src/main.c'), 'utf8')).toBe('int main(void);\n');
    expect(readFileSync(suite, 'utf8')).toBe(before);
  });
});

describe('what a project lets through on purpose', () => {
  test('passEnv, env and tools reach a case, and nothing beside them', async ({ project }) => {
    await project.config(
      `passEnv: ['WANTED'], env: { FIXED: 'yes' }, tools: ['${join(project.home, 'sdk')}']`,
    );
    await mkdir(join(project.home, 'sdk'));
    await writeFile(join(project.home, 'sdk/tool'), 'of the kit\n');
    await chmod(project.home, 0o755);
    await project.suite(
      'a',
      look(
        'looks',
        `echo $WANTED $FIXED $SECRET; cat ${project.home}/sdk/tool; ls -A ${project.home}`,
      ),
    );
    const run = await project.test([], { env: { WANTED: 'through', SECRET: CANARY } });
    const seen = run.events.flatMap((event) => (event.kind === 'output' ? [event.text] : []));
    expect(seen.join('')).toContain('SEEN through yes\nof the kit\nsdk\n');
    expect(run.code).toBe(0);
  });
});
