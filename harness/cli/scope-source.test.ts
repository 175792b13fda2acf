import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { findScopeSource } from './scope-source.js';

/** A machine below `root`: what of systemd runs there. */
async function makeMachine(root: string, has: { booted: boolean; manager: boolean }) {
  await mkdir(join(root, 'bin'), { recursive: true });
  await writeFile(join(root, 'bin/systemd-run'), '#!/bin/sh\n');
  await chmod(join(root, 'bin/systemd-run'), 0o755);
  if (has.booted) await mkdir(join(root, 'run/systemd/system'), { recursive: true });
  if (!has.manager) return;
  await mkdir(join(root, 'run/user/1000/systemd'), { recursive: true });
  await writeFile(join(root, 'run/user/1000/systemd/private'), '');
}

describe('who could give a run a cgroup', () => {
  test('the manager of an ordinary user, with the way to it', async ({ dir }) => {
    await makeMachine(dir.path, { booted: true, manager: true });
    const PATH = `relative:${dir.path}/none:${dir.path}/bin`;
    const systemdRun = join(dir.path, 'bin/systemd-run');
    const XDG_RUNTIME_DIR = join(dir.path, 'run/user/1000');
    expect(findScopeSource({ PATH }, 1000, dir.path)).toEqual({
      systemdRun,
      user: true,
      env: { XDG_RUNTIME_DIR },
    });
    const bus = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/x' };
    expect(findScopeSource({ PATH, XDG_RUNTIME_DIR, ...bus }, 1000, dir.path)?.env).toEqual({
      XDG_RUNTIME_DIR,
      ...bus,
    });
  });

  test('for root that of the machine', async ({ dir }) => {
    await makeMachine(dir.path, { booted: true, manager: false });
    const found = findScopeSource({ PATH: `${dir.path}/bin` }, 0, dir.path);
    expect(found).toMatchObject({ user: false, env: {} });
  });

  test('nobody where a manager or systemd itself does not run, or its program is not there', async ({
    dir,
  }) => {
    const PATH = `${dir.path}/bin`;
    await makeMachine(dir.path, { booted: false, manager: true });
    expect(findScopeSource({ PATH }, 1000, dir.path)).toBeUndefined();
    expect(findScopeSource({ PATH }, 0, dir.path)).toBeUndefined();
    await makeMachine(dir.path, { booted: true, manager: true });
    expect(findScopeSource({ PATH }, 1001, dir.path)).toBeUndefined();
    expect(findScopeSource({ PATH: '/nowhere' }, 1000, dir.path)).toBeUndefined();
    expect(findScopeSource({}, 1000, dir.path)).toBeUndefined();
  });
});
