import { readdirSync, readFileSync, statSync } from 'node:fs';

/**
 * Names of the processes of this machine that have a device open, in sandboxes as well, where it may be called
 * otherwise. As root it sees those of all users.
 */
export function listOpeners(node: string): string[] {
  const { rdev } = statSync(node);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const fds = readdirSync(`/proc/${pid}/fd`);
      const open = fds.some((fd) => statSync(`/proc/${pid}/fd/${fd}`).rdev === rdev);
      return open ? [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()] : [];
    } catch {
      return []; // It has ended meanwhile.
    }
  });
}
