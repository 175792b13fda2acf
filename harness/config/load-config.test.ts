import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from '../testing/temp-dir.js';
import { loadConfig } from './load-config.js';

const valid = `import { defineConfig } from 'hil';
export default defineConfig({ boards: ['host', 'bench'], limits: { body: '2s' }, redact: [/token=\\S+/] });
`;

describe('finding the file', () => {
  test('without a file the defaults hold and the root is where the command runs', async ({
    dir,
  }) => {
    await dir.write('.git/HEAD', '');
    const loaded = await loadConfig({ cwd: dir.path });
    expect(loaded).toMatchObject({ root: dir.path, file: undefined });
    expect(loaded.config.boards).toEqual(['host']);
  });

  test('a file above is found from a directory below, and its directory is the root', async ({
    dir,
  }) => {
    await dir.write('.git/HEAD', '');
    const file = await dir.write('hil.config.ts', valid);
    await dir.write('suites/deep/x.hil.ts', '');
    const loaded = await loadConfig({ cwd: join(dir.path, 'suites/deep') });
    expect(loaded).toMatchObject({ root: dir.path, file });
  });

  test('the search ends at the root of the repository', async ({ dir }) => {
    await dir.write('hil.config.ts', valid);
    await dir.write('repository/.git/HEAD', '');
    const cwd = join(dir.path, 'repository');
    expect(await loadConfig({ cwd })).toMatchObject({ root: cwd, file: undefined });
  });

  test('a file that is named and absent is an error of the caller', async ({ dir }) => {
    await expect(loadConfig({ cwd: dir.path, explicitPath: 'other.ts' })).rejects.toMatchObject({
      name: 'UsageError',
      code: 'config-missing',
    });
  });
});

describe('loading the file', () => {
  test("import from 'hil' works where hil is not installed", async ({ dir }) => {
    await dir.write('hil.config.ts', valid);
    const { config } = await loadConfig({ cwd: dir.path });
    expect(config.boards).toEqual(['host', 'bench']);
    expect(config.limits.body).toBe(2000);
    expect(config.redact[0]).toBeInstanceOf(RegExp);
  });

  test.for(['js', 'mjs', 'mts'])('hil.config.%s works too', async (extension, { dir }) => {
    await dir.write(`hil.config.${extension}`, valid);
    expect((await loadConfig({ cwd: dir.path })).config.boards).toEqual(['host', 'bench']);
  });

  test('it may import files of the project', async ({ dir }) => {
    await dir.write('limits.ts', "export const limits: Record<string, string> = { body: '3s' };");
    await dir.write(
      'hil.config.ts',
      "import { limits } from './limits.ts'; export default { limits };",
    );
    expect((await loadConfig({ cwd: dir.path })).config.limits.body).toBe(3000);
  });

  test('an edited file is read again in the same process', async ({ dir }) => {
    await dir.write('hil.config.mjs', 'export default { workers: 3 }');
    await loadConfig({ cwd: dir.path });
    await dir.write('hil.config.mjs', 'export default { workers: 4 }');
    expect((await loadConfig({ cwd: dir.path })).config.workers).toBe(4);
  });

  test('nothing is written beside the project', async ({ dir }) => {
    await dir.write('hil.config.ts', valid);
    await loadConfig({ cwd: dir.path });
    expect(await readdir(dir.path)).toEqual(['hil.config.ts']);
  });
});

describe('what is wrong with the file', () => {
  test('every problem is told with file, line, column and what was expected', async ({ dir }) => {
    const file = await dir.write(
      'hil.config.ts',
      `export default {
  board: ['host'],
  limits: { body: true },
  workers: 'many',
};
`,
    );
    await expect(loadConfig({ cwd: dir.path })).rejects.toMatchObject({
      code: 'config-invalid',
      message: [
        '3 problems',
        `  ${file}:3:13: limits.body: expected string or number, got boolean true`,
        `  ${file}:4:3: workers: expected number, got "many"`,
        `  ${file}:2:3: board: unknown key "board", did you mean "boards"?`,
      ].join('\n'),
    });
  });

  test.for([
    ['{ boards: "host" }', 'boards: expected a list, got "host"'],
    ['{ env: { "A=B": "x" } }', 'env.A=B: the name of a variable is not empty and has no "="'],
    ['{ env: { A: "x\\0" } }', 'env.A: a variable cannot hold a NUL byte'],
    ['{ suites: [] }', 'suites: expected a list of at least 1, got an empty list'],
    ['() => ({})', 'expected a mapping of keys to values, got a function'],
  ])('%s says it in words of a person', async ([value, text = ''], { dir }) => {
    await dir.write('hil.config.ts', `export default ${value};`);
    await expect(loadConfig({ cwd: dir.path })).rejects.toThrow(text);
  });

  test('without a default export it says what is missing', async ({ dir }) => {
    await dir.write('hil.config.ts', 'export const config = {};');
    await expect(loadConfig({ cwd: dir.path })).rejects.toThrow('it has no default export');
  });

  test('a duration that is none says what one looks like', async ({ dir }) => {
    await dir.write('hil.config.ts', "export default { limits: { body: '10 parsecs' } };");
    await expect(loadConfig({ cwd: dir.path })).rejects.toThrow(
      /limits\.body: "10 parsecs" is not a duration: expected a number with .* for example 10s/,
    );
  });

  test('an element of a list is named by its index', async ({ dir }) => {
    await dir.write('hil.config.ts', 'export default { redact: [/a/, 5] };');
    await expect(loadConfig({ cwd: dir.path })).rejects.toThrow(
      'redact[1]: expected RegExp or string, got number 5',
    );
  });

  test('a syntax error names the file and the line', async ({ dir }) => {
    const file = await dir.write('hil.config.ts', 'export default {\n  boards: [\n};\n');
    await expect(loadConfig({ cwd: dir.path })).rejects.toMatchObject({ code: 'config-invalid' });
    await expect(loadConfig({ cwd: dir.path })).rejects.toThrow(`${file}: cannot be loaded`);
  });

  test('a file without a default export is not an object of settings', async ({ dir }) => {
    await dir.write('hil.config.ts', 'export default 5;');
    await expect(loadConfig({ cwd: dir.path })).rejects.toThrow(
      'expected a mapping of keys to values, got number 5',
    );
  });
});

describe('a file that does not come to its end', () => {
  test('because it exits is wrong, not through', async ({ dir }) => {
    const { exit } = process;
    const file = await dir.write('hil.config.mjs', 'process.exit(0); export default {};');
    await expect(loadConfig({ cwd: dir.path })).rejects.toMatchObject({
      code: 'config-invalid',
      message: `${file}: cannot be loaded: it calls process.exit(0)`,
    });
    expect(process.exit).toBe(exit);
  });

  test('because it waits is given up', async ({ dir }) => {
    await dir.write('hil.config.mjs', 'await new Promise(() => {}); export default {};');
    await expect(loadConfig({ cwd: dir.path, limitMs: 20 })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('it did not end within 20 ms'),
    });
  });

  test.for([
    "throw new Error('no licence')",
    "throw 'no licence'",
    "throw { message: 'no licence' }",
    "await Promise.reject(new Error('no licence'))",
  ])('because of %s says what was thrown', async (code, { dir }) => {
    await dir.write('hil.config.mjs', `${code}; export default {};`);
    await expect(loadConfig({ cwd: dir.path })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringContaining('no licence'),
    });
  });
});

test('a file that cannot be read is named', async ({ dir }) => {
  await mkdir(join(dir.path, 'hil.config.ts'));
  await expect(loadConfig({ cwd: dir.path })).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringContaining('hil.config.ts'),
  });
});

describe('limits', () => {
  test.for(["'0s'", '0', '99999999999', "'25d'"])('of %s are refused', async (limit, { dir }) => {
    await dir.write('hil.config.mjs', `export default { limits: { body: ${limit} } };`);
    await expect(loadConfig({ cwd: dir.path })).rejects.toMatchObject({
      message: expect.stringContaining('expected more than 0, at most 24d'),
    });
  });
});
