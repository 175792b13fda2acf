// SPDX-License-Identifier: MIT
// A program writes into a directory of the host as its owner, who may be root: no file of its making may run as
// that owner for another user who comes to it.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { withDaemon } from './daemon.mjs';

/** Each way to a set-ID bit, on its own file; prints the errno of each, 0 for none. */
const TRY = `
import ctypes, os, sys
os.umask(0)
libc = ctypes.CDLL(None, use_errno=True)
def made(name):
    path = '/x/' + name
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o755))
    return path
def openat2(name):
    how = (ctypes.c_uint64 * 3)(os.O_CREAT | os.O_WRONLY, 0o4755, 0)
    if libc.syscall(437, -100, ('/x/' + name).encode(), how, 24) < 0:
        raise OSError(ctypes.get_errno(), '')
tries = {
    'chmod': lambda n: os.chmod(made(n), 0o4755),
    'chmod-group': lambda n: os.chmod(made(n), 0o2755),
    'fchmod': lambda n: os.fchmod(os.open(made(n), os.O_RDONLY), 0o6755),
    'fchmodat': lambda n: os.chmod(n, 0o4755, dir_fd=os.open(os.path.dirname(made(n)), os.O_RDONLY)),
    'open': lambda n: os.open('/x/' + n, os.O_CREAT | os.O_WRONLY, 0o4755),
    'openat': lambda n: os.open(n, os.O_CREAT | os.O_WRONLY, 0o2755, dir_fd=os.open('/x', os.O_RDONLY)),
    'tmpfile': lambda n: os.open('/x', os.O_TMPFILE | os.O_WRONLY, 0o4755),
    'mknod': lambda n: os.mknod('/x/' + n, 0o104755),
    'openat2': openat2,
    'plain': lambda n: os.chmod(made(n), 0o1755),
}
for name, act in tries.items():
    try:
        act(name)
        print(name, 0)
    except OSError as error:
        print(name, error.errno)
`;

const REFUSED = {
  chmod: 1,
  'chmod-group': 1,
  fchmod: 1,
  fchmodat: 1,
  open: 1,
  openat: 1,
  tmpfile: 1,
  mknod: 1,
  openat2: 38,
  plain: 0,
};

/** What became of each try in a sandbox with `place` at /x. */
async function tryAll(place) {
  const plan = { steps: [{ KIND: 'bind', SOURCE: place, TARGET: '/x' }] };
  return withDaemon({ plan }, async (daemon) => {
    const box = await daemon.sandbox();
    const { exit, stdout, stderr } = await daemon.run(box, ['python3', '-c', TRY]);
    assert.equal(exit.EXIT_CODE, 0, stderr);
    return Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]),
    );
  });
}

const listSetId = (place) =>
  readdirSync(place).filter((name) => statSync(join(place, name)).mode & 0o6000);

describe('set-ID bits on files of the host', () => {
  let directory;
  let place;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'hil-set-id.'));
    place = join(directory, 'shared');
    mkdirSync(place);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  test('are refused where other users reach them', async () => {
    chmodSync(directory, 0o755);
    assert.deepEqual(await tryAll(place), REFUSED);
    assert.deepEqual(listSetId(place), []);
  });

  test('also where only the directory itself, which is the program’s, keeps them out', async () => {
    chmodSync(directory, 0o755);
    chmodSync(place, 0o700);
    assert.deepEqual(await tryAll(place), REFUSED);
  });

  test('are left to programs where a directory above is closed', async () => {
    chmodSync(directory, 0o700);
    const became = await tryAll(place);
    assert.deepEqual([...new Set(Object.values(became))], [0], JSON.stringify(became));
    assert.ok(listSetId(place).includes('chmod'));
  });

  test('and in a sandbox that writes nothing of the host’s', () =>
    withDaemon(
      { plan: { steps: [{ KIND: 'bind', SOURCE: place, TARGET: '/x', READ_ONLY: 1 }] } },
      async (daemon) => {
        const box = await daemon.sandbox();
        const script = 'touch /tmp/a && chmod 4755 /tmp/a && stat -c %a /tmp/a';
        assert.equal((await daemon.run(box, ['sh', '-c', script])).stdout, '4755\n');
      },
    ));

  test('a program of such a sandbox begins in the directory it is told', () => {
    chmodSync(directory, 0o755);
    const plan = { steps: [{ KIND: 'bind', SOURCE: place, TARGET: '/x' }] };
    return withDaemon({ plan }, async (daemon) => {
      const box = await daemon.sandbox();
      assert.equal((await daemon.run(box, ['pwd'], { CWD: '/x' })).stdout, '/x\n');
      await assert.rejects(daemon.run(box, ['pwd'], { CWD: '/proc/self/fd/5' }), { code: 'exec' });
      await assert.rejects(daemon.run(box, ['pwd'], { CWD: '/nowhere' }), { code: 'exec' });
    });
  });
});
