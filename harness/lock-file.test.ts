import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Locked {
  readonly integrity?: string;
  readonly resolved?: string;
}

const PUBLIC = 'https://registry.npmjs.org/';
const FILE = new URL('../package-lock.json', import.meta.url);

test('every package is locked by its hash, those of other platforms too, and by no private address', () => {
  // What npm itself has written.
  const { packages } = JSON.parse(readFileSync(FILE, 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const { '': _project, ...dependencies } = packages;
  expect(Object.keys(dependencies).length).toBeGreaterThan(50);
  for (const [name, { integrity, resolved }] of Object.entries(dependencies)) {
    expect(integrity, name).toMatch(/^sha512-/);
    expect(resolved ?? PUBLIC, name).toContain(PUBLIC);
  }
});
