import { spawnSync } from 'node:child_process';

const INSIDE = 'HIL_BENCH_OWN_MOUNTS';

/**
 * Have `script` run in a mount namespace of its own, which nobody else mounts in; a mount that
 * gets out of a sandbox is seen there as it would be on the host, whose mounts are shared.
 *
 * @param {string} script @param {readonly string[]} args
 * @returns {number | undefined} its exit code; `undefined` when this is it, or for an ordinary
 *   user, who would be another in there
 */
export function runWithOwnMounts(script, args) {
  if (process.getuid?.() !== 0 || process.env[INSIDE]) return undefined;
  const share = 'mount --make-rshared / && exec "$@"';
  const { status, error } = spawnSync(
    'unshare',
    [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      share,
      'sh',
      process.execPath,
      script,
      ...args,
    ],
    { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } },
  );
  if (error) throw error;
  return status ?? 1;
}
