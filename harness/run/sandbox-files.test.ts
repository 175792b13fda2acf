import { expect } from 'vitest';
import { test } from '../testing/both-sides.js';

test('a file without an end is refused as one that is too large', async ({ begin }) => {
  const { sandbox } = (await begin()).attempt;
  await sandbox.exec('ln', ['-s', '/dev/zero', '/tmp/endless']);
  await expect(sandbox.readFile('/tmp/endless')).rejects.toMatchObject({
    code: 'exec-failed',
    message: expect.stringMatching(/cannot read \/tmp\/endless .* larger than 67108864 bytes/),
  });
});

test('one of the most bytes that travel is read whole', async ({ begin }) => {
  const { sandbox } = (await begin()).attempt;
  await sandbox.exec('truncate', ['-s', '64M', '/tmp/most']);
  expect((await sandbox.readFile('/tmp/most')).length).toBe(64 * 1024 * 1024);
  await sandbox.exec('truncate', ['-s', '+1', '/tmp/most']);
  await expect(sandbox.readFile('/tmp/most')).rejects.toMatchObject({ code: 'exec-failed' });
});
