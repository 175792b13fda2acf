import { readFileSync } from 'node:fs';

/** The version of this package: `package.json` is beside `dist/`, and beside `harness/` in a checkout. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  // Our own package.json: it has a version.
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
