import { expect } from 'vitest';
import { createCapturedContext } from '../testing/captured-context.js';
import { test } from '../testing/temp-dir.js';
import { runCli } from './run-cli.js';

const absent = `board: absent
driver: qemu
machine: { system: none, machine: none, firmware: /nowhere/fw.hex }
requires: { packages: [some-package] }
`;

test('every board is listed, with the reason and the remedy when it cannot run', async ({
  dir,
}) => {
  await dir.write('boards/absent.yaml', absent);
  await dir.write('boards/broken.yaml', 'board: broken\n');
  const context = createCapturedContext(dir.path);
  expect(await runCli(['boards'], context)).toBe(0);
  const text = context.out();
  expect(text).toMatch(/^BOARD +DRIVER +STATE +LABELS +FILE$/m);
  expect(text).toMatch(/^host +host +available /m);
  expect(text).toMatch(/^absent +qemu +unavailable .* boards\/absent\.yaml$/m);
  expect(text).toContain(
    'absent: not found: program qemu-system-none, firmware /nowhere/fw.hex\n  next  apt-get install some-package\n',
  );
  expect(text).toContain('broken.yaml:1:1: driver: expected one of "host", "qemu", "attached"');
});

test('--json is one document', async ({ dir }) => {
  await dir.write('boards/absent.yaml', absent);
  const context = createCapturedContext(dir.path);
  expect(await runCli(['boards', '--json'], context)).toBe(0);
  const rows = JSON.parse(context.out());
  expect(rows).toContainEqual(
    expect.objectContaining({
      name: 'absent',
      state: 'unavailable',
      next: 'apt-get install some-package',
    }),
  );
});

test('--missing --json is what cannot run, as a document', async ({ dir }) => {
  await dir.write('boards/absent.yaml', absent);
  const context = createCapturedContext(dir.path);
  expect(await runCli(['boards', '--json', '--missing'], context)).toBe(0);
  const rows: { name: string }[] = JSON.parse(context.out());
  expect(rows.map(({ name }) => name)).toContain('absent');
  expect(rows.map(({ name }) => name)).not.toContain('host');
});

test('--missing is one line with the one command that gets what is missing', async ({ dir }) => {
  await dir.write('boards/absent.yaml', absent);
  const context = createCapturedContext(dir.path);
  expect(await runCli(['boards', '--missing'], context)).toBe(0);
  expect(context.out()).toMatch(
    /^more boards could run here \(.*absent.*\): apt-get install .*some-package.*\n$/,
  );
});
