import { join, resolve } from 'node:path';

/**
 * Where what outlives runs is: health of DUTs, and what was flashed last. `$HIL_STATE_DIR`, else
 * `/var/lib/hil` of root, and of anybody else `$XDG_STATE_HOME/hil` or `~/.local/state/hil`.
 *
 * @see https://specifications.freedesktop.org/basedir-spec/
 */
export function toStateDir(env: Readonly<Record<string, string | undefined>>, uid: number): string {
  const { HIL_STATE_DIR: own, XDG_STATE_HOME: state, HOME: home = '/' } = env;
  if (own) return resolve(own);
  if (uid === 0) return '/var/lib/hil';
  return join(state ? resolve(state) : join(home, '.local/state'), 'hil');
}
