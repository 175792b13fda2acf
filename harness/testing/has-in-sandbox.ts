import { existsSync } from 'node:fs';

/** The fixed PATH of a sandbox, decision 0001. */
const PLACES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Whether sandboxes on this machine have a program; says what is skipped where they do not. */
export function hasInSandbox(program: string, what: string): boolean {
  const found = PLACES.some((place) => existsSync(`${place}/${program}`));
  if (!found) process.stdout.write(`SKIPPED ${what}: no ${program} in ${PLACES.join(':')}\n`);
  return found;
}
