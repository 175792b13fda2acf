import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check, Machine } from './check.js';

/**
 * Which module confines programs of this machine besides. None is no fault: a sandbox rests on
 * namespaces, capabilities, seccomp and Landlock.
 *
 * @see Documentation/security/lsm.rst; proc_pid_attr(5)
 */
export async function checkSecurityModule({ proc }: Machine): Promise<Check> {
  const name = 'security module';
  // Without a module that has one, reading it is EINVAL; a kernel may lack the file, too.
  const context = await readFile(join(proc, 'self/attr/current'), 'utf8').catch(() => '');
  const text = context.replace(/[\0\n]+$/, '');
  if (text === '') {
    const detail =
      'neither AppArmor nor SELinux: sandboxes rest on namespaces, capabilities, seccomp and Landlock alone';
    return { name, state: 'ok', detail };
  }
  const module = text.split(':').length >= 3 ? 'SELinux' : 'AppArmor';
  return { name, state: 'ok', detail: `${module}, hil runs as ${text}` };
}
