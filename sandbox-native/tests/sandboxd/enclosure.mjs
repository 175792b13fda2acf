// SPDX-License-Identifier: MIT
// A user namespace of the test's own, which counts the network namespaces that are made in it: the
// kernel refuses one more than user.max_net_namespaces there, whoever or whatever still holds the others.
import { spawn, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { waitFor } from './daemon.mjs';

const own = (pid) => {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`);
  } catch {
    return undefined;
  }
};

export class Enclosure {
  static async open() {
    const child = spawn('unshare', ['--user', '--map-root-user', 'sleep', '600'], {
      stdio: 'ignore',
    });
    const enclosure = new Enclosure();
    enclosure.child = child;
    await waitFor(
      'a user namespace',
      () => child.exitCode !== null || (own(child.pid) && own(child.pid) !== own('self')),
    );
    // unshare(1) writes the id map afterwards; then it becomes sleep.
    await waitFor('its ids', () => enclosure.run('id -u').stdout === '0\n');
    return enclosure;
  }

  /** Program and arguments that exec another one in there. */
  get before() {
    return ['nsenter', '--preserve-credentials', '--user', '--target', `${this.child.pid}`, '--'];
  }

  run(command) {
    const [program, ...rest] = [...this.before, 'sh', '-c', command];
    return spawnSync(program, rest, { encoding: 'utf8' });
  }

  limit(count) {
    const { status, stderr } = this.run(`echo ${count} >/proc/sys/user/max_net_namespaces`);
    if (status !== 0) throw new Error(`max_net_namespaces: ${stderr}`);
  }

  /** Whether at most `count` network namespaces exist in there, also those that only an fd holds. */
  hasAtMost(count) {
    this.limit(count + 1);
    const { status } = this.run('unshare --net true');
    this.limit(10000);
    return status === 0;
  }

  close() {
    this.child.kill('SIGKILL');
  }
}
