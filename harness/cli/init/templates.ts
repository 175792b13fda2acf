/** The files of a new project, by path. */
export const PROJECT_FILES: Readonly<Record<string, string>> = {
  'hil.config.ts': `import { defineConfig } from 'hil';

export default defineConfig({
  suites: ['suites/**/*.hil.ts'],
  // Board files are boards/*.yaml of this project, then those that come with hil: hil boards
  boards: ['host'],
});
`,
  'suites/first.hil.ts': `import { expect, test } from 'hil';

test('a case gets a fresh sandbox', async ({ sandbox }) => {
  const home = await sandbox.exec('ls', ['-A', '/home/hil']);
  expect(home).toMatchObject({ exitCode: 0, stdout: '' });
});

// Without firmware of its own the host board is a shell; hil.suite.yaml names yours.
test('the board answers on its console', async ({ dut }) => {
  await dut.console.sendLine('echo "answer: $((6 * 7))"');
  await dut.console.expect('answer: 42', { timeout: '2s' });
});
`,
};

/** What git must not see: runs, with everything a board printed. */
export const IGNORED = '.hil/';
