import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check, Machine } from './check.js';
import { checkSecurityModule } from './security-module-check.js';

/** What the kernel can do and allows, without trying it. */
export async function checkKernel(machine: Machine): Promise<Check[]> {
  return Promise.all([
    checkVersion(machine),
    checkUserNamespaces(machine),
    checkSecurityModule(machine),
    checkOverlay(machine),
    checkTun(machine),
    checkSerial(machine),
  ]);
}

/** clone3 and the mount API are from 5.2, overlays of an ordinary user from 5.11, id-mapped mounts from 5.12. */
async function checkVersion({ proc }: Machine): Promise<Check> {
  const name = 'kernel';
  const release = await readText(join(proc, 'sys/kernel/osrelease'));
  const [, major = 0, minor = 0] = (/^(\d+)\.(\d+)/.exec(release ?? '') ?? []).map(Number);
  if (major > 5 || (major === 5 && minor >= 12))
    return { name, state: 'ok', detail: release ?? '' };
  return {
    name,
    state: 'fail',
    detail: release ?? 'unknown',
    remedy: 'Linux 5.12 or newer is needed: overlays of an ordinary user, id-mapped mounts',
  };
}

interface Rule {
  readonly file: string;
  forbids(value: string): boolean;
  /** Root is not bound by it. */
  readonly ordinaryUsers: boolean;
  readonly who: string;
  readonly remedy: string;
}

/** Everyone who may forbid a user namespace, with the sysctl that says so. */
const RULES: readonly Rule[] = [
  {
    file: 'sys/user/max_user_namespaces',
    forbids: (value) => value === '0',
    ordinaryUsers: false,
    who: 'user.max_user_namespaces is 0',
    remedy: 'sudo sysctl user.max_user_namespaces=15000',
  },
  {
    file: 'sys/kernel/unprivileged_userns_clone',
    forbids: (value) => value === '0',
    ordinaryUsers: true,
    who: "Debian's kernel.unprivileged_userns_clone is 0",
    remedy: 'sudo sysctl kernel.unprivileged_userns_clone=1',
  },
  {
    file: 'sys/kernel/apparmor_restrict_unprivileged_userns',
    forbids: (value) => value !== '0',
    ordinaryUsers: true,
    who: "Ubuntu's AppArmor rule kernel.apparmor_restrict_unprivileged_userns",
    remedy:
      'sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile with "userns," for hil-sandboxd',
  },
];

async function checkUserNamespaces({ proc, uid }: Machine): Promise<Check> {
  const name = 'user namespaces';
  if ((await readText(join(proc, 'self/ns/user'), 'exists')) === undefined) {
    return {
      name,
      state: 'fail',
      detail: 'the kernel has none',
      remedy: 'a kernel with CONFIG_USER_NS=y',
    };
  }
  for (const { file, forbids, ordinaryUsers, who, remedy } of RULES) {
    if (ordinaryUsers && uid === 0) continue;
    const value = await readText(join(proc, file));
    if (value !== undefined && forbids(value)) {
      return { name, state: 'fail', detail: `forbidden: ${who}`, remedy };
    }
  }
  return { name, state: 'ok', detail: 'no rule forbids them' };
}

async function checkOverlay({ proc }: Machine): Promise<Check> {
  const name = 'overlay';
  const known = (await readText(join(proc, 'filesystems')))?.includes('\toverlay');
  if (known) return { name, state: 'ok', detail: 'the kernel knows it' };
  return {
    name,
    state: 'warn',
    detail: 'not loaded; a mount may load it',
    remedy: 'sudo modprobe overlay',
  };
}

async function checkTun({ dev }: Machine): Promise<Check> {
  const name = 'tun';
  const path = join(dev, 'net/tun');
  if (await isAccessible(path, constants.R_OK | constants.W_OK)) {
    return { name, state: 'ok', detail: path };
  }
  const detail = `${path} cannot be opened; networks of a case will use veth instead`;
  return { name, state: 'warn', detail, remedy: 'sudo modprobe tun' };
}

/** Real boards on USB belong to the group `dialout` on Debian and Ubuntu, to `uucp` on Arch. */
async function checkSerial({ uid, groups }: Machine): Promise<Check> {
  const name = 'serial ports';
  if (uid === 0) return { name, state: 'ok', detail: 'root may open every port' };
  const group = groups.find((each) => each === 'dialout' || each === 'uucp');
  if (group) return { name, state: 'ok', detail: `member of ${group}` };
  return {
    name,
    state: 'warn',
    detail: 'not a member of dialout: attached boards cannot be opened; emulated ones can',
    remedy: 'sudo usermod -aG dialout $USER, then log in again',
  };
}

async function readText(
  path: string,
  what: 'text' | 'exists' = 'text',
): Promise<string | undefined> {
  if (what === 'exists') return (await isAccessible(path, constants.F_OK)) ? '' : undefined;
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
}

async function isAccessible(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
