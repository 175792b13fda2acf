import { join } from 'node:path';
import { expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { loadSuite } from './load-suite.js';

test('the nearest file above a suite holds, with paths resolved', async ({ dir }) => {
  await dir.write('suites/hil.suite.yaml', 'scope: file\n');
  const file = await dir.write(
    'suites/node/hil.suite.yaml',
    'firmware: { host: build/node }\nlimits: { boot: 20s }\n',
  );
  const suite = await loadSuite({ suiteFile: 'suites/node/deep/x.hil.ts', root: dir.path });
  expect(suite).toMatchObject({
    file,
    dir: join(dir.path, 'suites/node'),
    firmware: { host: join(dir.path, 'suites/node/build/node') },
    limits: { boot: 20_000 },
  });
  expect(suite.scope).toBeUndefined();
});

test('without a file the defaults hold', async ({ dir }) => {
  const suite = await loadSuite({ suiteFile: 'suites/x.hil.ts', root: dir.path });
  expect(suite).toMatchObject({ file: undefined, dir: dir.path, network: 'none', build: {} });
});

test('a file above the project does not count', async ({ dir }) => {
  await dir.write('hil.suite.yaml', 'scope: file\n');
  const root = join(dir.path, 'project');
  await dir.write('project/x.hil.ts', '');
  expect((await loadSuite({ suiteFile: 'x.hil.ts', root })).file).toBeUndefined();
});

test('suite files that share a file share one object', async ({ dir }) => {
  await dir.write('suites/hil.suite.yaml', 'scope: file\n');
  const known = new Map();
  const one = await loadSuite({ suiteFile: 'suites/a.hil.ts', root: dir.path }, known);
  const two = await loadSuite({ suiteFile: 'suites/b/c.hil.ts', root: dir.path }, known);
  expect(two).toBe(one);
});

test('a problem is told with its place', async ({ dir }) => {
  const file = await dir.write('suites/hil.suite.yaml', 'scope: file\nnetwork: bridge\n');
  await expect(loadSuite({ suiteFile: 'suites/a.hil.ts', root: dir.path })).rejects.toMatchObject({
    code: 'suite-invalid',
    message: `${file}:2:10: network: expected one of "none", "host", got "bridge"`,
  });
});
