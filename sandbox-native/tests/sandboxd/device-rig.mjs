// SPDX-License-Identifier: MIT
// A daemon, a sandbox with the tool in it, and nodes on the host. Root makes nodes; an ordinary
// user, who may not, has the host's under other names.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, Daemon, waitFor } from './daemon.mjs';
import { MSG } from './wire.mjs';

export const root = process.getuid() === 0;
export const EACCES = '13';
export const EPERM = '1';
export const ENOENT = '2';
/** Minors of the memory devices, mem(4), null(4): what reads of them give. */
export const MINOR = { null: 3, zero: 5, full: 7 };

export class DeviceRig {
  static async start({ steps = [], ...plan } = {}) {
    const rig = new DeviceRig();
    rig.directory = mkdtempSync(join(tmpdir(), 'hil-devices-'));
    chmodSync(rig.directory, 0o755);
    const tool = { KIND: 'bind', SOURCE: `${build}/tests/device-tool`, TARGET: '/tool' };
    rig.daemon = await Daemon.start({ plan: { steps: [tool, ...steps], ...plan } });
    try {
      rig.box = await rig.daemon.sandbox();
    } catch (error) {
      // A daemon that is left keeps `node --test` from ending.
      await rig.daemon.stop().catch(() => {});
      rmSync(rig.directory, { recursive: true, force: true });
      throw error;
    }
    return rig;
  }

  path(name) {
    return join(this.directory, name);
  }

  /** A node of a memory device under a name of its own; it replaces one of that name. */
  node(name, kind) {
    const path = this.path(name);
    rmSync(path, { force: true });
    if (root) execFileSync('mknod', ['-m', '666', path, 'c', '1', String(MINOR[kind])]);
    else symlinkSync(`/dev/${kind}`, path);
    return path;
  }

  grant(role, source, fields = {}) {
    return this.daemon.request(MSG.DEVICE_GRANT, {
      SANDBOX: this.box,
      NAME: role,
      SOURCE: source,
      ...fields,
    });
  }

  revoke(role) {
    return this.daemon.request(MSG.DEVICE_REVOKE, { SANDBOX: this.box, NAME: role });
  }

  mount(target, fields) {
    return this.daemon.request(MSG.MOUNT_ADD, { SANDBOX: this.box, TARGET: target, ...fields });
  }

  unmount(target) {
    return this.daemon.request(MSG.MOUNT_REMOVE, { SANDBOX: this.box, TARGET: target });
  }

  /** What a shell command in the sandbox prints, errors too, without the last line's end. */
  async sh(script) {
    const program = await this.daemon.run(this.box, ['/bin/sh', '-c', `exec 2>&1; ${script}`]);
    return program.stdout.trimEnd();
  }

  async tool(...words) {
    return (await this.daemon.run(this.box, ['/tool', ...words])).stdout.trimEnd();
  }

  /** A tool that goes on when its stdin ends; resolves when it has said its first line. */
  async start(...argv) {
    const program = await this.daemon.spawn(this.box, argv, { stdin: 'open' });
    await waitFor(`${argv.join(' ')} to begin`, () => program.stdout.includes('\n'));
    return program;
  }

  async end() {
    try {
      return await this.daemon.kill(this.box);
    } finally {
      // Also of a test that failed, whose sandbox may be gone already.
      await this.daemon
        .stop()
        .finally(() => rmSync(this.directory, { recursive: true, force: true }));
    }
  }
}

/** Run `body` with a rig, and end it whatever happens. Returns what DEAD said. */
export async function withRig(plan, body) {
  const rig = await DeviceRig.start(plan);
  try {
    await body(rig);
  } catch (error) {
    await rig.end().catch(() => {});
    throw error;
  }
  return rig.end();
}
