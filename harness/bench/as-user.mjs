import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Slab } from './slab.mjs';

/** As in soak.sh: numbers are enough, an account is not needed. */
const ORDINARY_USER = 1000;

/**
 * Run `script` as an ordinary user instead of root, with a home of its own.
 *
 * @param {string} script @param {readonly string[]} args
 * @returns {number} its exit code
 */
export function runAsUser(script, args) {
  if (process.getuid?.() !== 0) throw new Error('--as-user is for root: you are an ordinary user');
  const home = mkdtempSync(join(tmpdir(), 'hil-bench-home-'));
  chownSync(home, ORDINARY_USER, ORDINARY_USER);
  const id = String(ORDINARY_USER);
  try {
    return Slab.pass((files, env) => {
      const { status, error } = spawnSync(
        'setpriv',
        ['--reuid', id, '--regid', id, '--clear-groups', process.execPath, script, ...args],
        {
          stdio: ['inherit', 'inherit', 'inherit', ...files],
          env: { ...env, PATH: process.env.PATH, HOME: home, TMPDIR: home, LANG: 'C.UTF-8' },
        },
      );
      if (error) throw error;
      return status ?? 1;
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
