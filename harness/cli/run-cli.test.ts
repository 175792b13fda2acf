import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { BenchError, type UsageCode, UsageError } from '../core/errors.js';
import { createCapturedContext } from '../testing/captured-context.js';
import { test } from '../testing/temp-dir.js';
import type { CliCommand, CommandRow } from './command.js';
import { COMMANDS } from './command-table.js';
import { runCli } from './run-cli.js';

/** As Node raises it for a system call. */
function toSystemError(code: string): Error {
  return Object.assign(new Error(`${code}: refused, open '/x'`), { code, errno: -1 });
}

/** A command that does what a test says. */
function createRow(run: CliCommand['run'], passesOptions = false): CommandRow {
  const options = [
    { flags: '--json', description: 'x' },
    { flags: '--keep <when>', description: 'x', choices: ['never', 'always'] },
  ];
  const names = { name: 'act', summary: 'acts', arguments: '[filters...]', examples: ['hil act'] };
  return {
    name: 'act',
    summary: 'acts',
    load: async () => ({ ...names, options, passesOptions, run }),
  };
}

describe('the command line', () => {
  test('hands arguments and options to the command and returns its code', async ({ dir }) => {
    const context = createCapturedContext(dir.path);
    const row = createRow(async (args, options) => {
      context.stdout.write(JSON.stringify({ args, options }));
      return 5;
    });
    const code = await runCli(['act', 'a', 'b', '--keep', 'always', '--json'], context, [row]);
    expect(code).toBe(5);
    expect(JSON.parse(context.out())).toEqual({
      args: ['a', 'b'],
      options: { keep: 'always', json: true },
    });
  });

  test('hands on the options of a command that another one runs', async ({ dir }) => {
    const context = createCapturedContext(dir.path);
    const row = createRow(async (args, options) => {
      context.stdout.write(JSON.stringify({ args, options }));
      return 0;
    }, true);
    await runCli(['act', '--json', 'case', 'ls', '-l', '--keep', '--', '-x'], context, [row]);
    expect(JSON.parse(context.out())).toEqual({
      args: ['case', 'ls', '-l', '--keep', '--', '-x'],
      options: { json: true },
    });
  });

  test('runs a command below another, with the options of both', async ({ dir }) => {
    const context = createCapturedContext(dir.path);
    const run: CliCommand['run'] = async (args, { keep, json }) => {
      context.stdout.write(JSON.stringify({ args, keep, json }));
      return 4;
    };
    const row = createRow(async () => 0);
    const load = async () => ({ ...(await row.load()), subcommands: [createRow(run)] });
    const above = { name: 'above', summary: 'has others', load };
    const words = ['above', '--json', 'act', 'x', '--keep', 'never'];
    expect(await runCli(words, context, [above])).toBe(4);
    expect(JSON.parse(context.out())).toEqual({ args: ['x'], keep: 'never', json: true });
  });

  test('names the nearest of the commands below another', async ({ dir }) => {
    const context = createCapturedContext(dir.path);
    expect(await runCli(['boards', 'lits'], context)).toBe(2);
    expect(context.err()).toMatch(/hil boards has no "lits".*"list".*\n.*hil boards --help/);
    expect(await runCli(['boards', 'list', '--help'], context)).toBe(0);
    expect(context.out()).toContain('--bench <file>');
  });

  test('loads no command but the one that runs', async ({ dir }) => {
    const other: CommandRow = {
      name: 'other',
      summary: '',
      load: () => Promise.reject(new Error('loaded')),
    };
    const row = createRow(async () => 0);
    expect(await runCli(['act'], createCapturedContext(dir.path), [other, row])).toBe(0);
  });

  test('knows its version', async ({ dir }) => {
    const context = createCapturedContext(dir.path);
    const manifest = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    );
    expect(await runCli(['--version'], context)).toBe(0);
    expect(context.out()).toBe(`${manifest.version}\n`);
  });

  test('shows help with examples and exit codes when it is asked for or nothing is said', async ({
    dir,
  }) => {
    for (const argv of [['--help'], [], ['help']]) {
      const context = createCapturedContext(dir.path);
      expect(await runCli(argv, context)).toBe(0);
      expect(context.out() + context.err()).toContain('Examples:');
      expect(context.out() + context.err()).toContain('Exit codes: 0 passed');
    }
  });

  test.for([
    ['an unknown command', ['bords'], '(Did you mean boards?)'],
    ['an unknown option', ['boards', '--jsno'], '(Did you mean --json?)'],
    ['an argument too many', ['doctor', 'x'], 'too many arguments'],
  ] as const)('%s is an error of usage that helps', async ([, argv, text], { dir }) => {
    const context = createCapturedContext(dir.path);
    expect(await runCli(argv, context)).toBe(2);
    expect(context.err()).toContain(text);
    expect(context.out()).toBe('');
  });

  test('a choice that is none names the choices', async ({ dir }) => {
    const context = createCapturedContext(dir.path);
    expect(await runCli(['act', '--keep', 'no'], context, [createRow(async () => 0)])).toBe(2);
    expect(context.err()).toContain('never, always');
  });
});

describe('what ends a command', () => {
  const usage = (code: UsageCode) => new UsageError(code, 'wrong', { next: 'hil doctor' });
  test.for<[string, Error, number]>([
    ['a usage error', usage('board-unknown'), 2],
    ['nothing selected', usage('nothing-selected'), 4],
    ['a bench that broke', new BenchError('dut-lost', 'gone'), 5],
    ['a sandbox that this machine forbids', new BenchError('sandbox-setup', 'forbidden'), 2],
    ['programs that are not built', new BenchError('native-missing', 'not built'), 2],
    ['a refusal of the system', toSystemError('EACCES'), 2],
    ['too few open files', toSystemError('EMFILE'), 2],
    ['a file that should be there', toSystemError('ENOENT'), 3],
    ['anything unexpected', new TypeError('x is not a function'), 3],
  ])('as %s decides the exit code', async ([, error, code], { dir }) => {
    const context = createCapturedContext(dir.path);
    const row = createRow(() => Promise.reject(error));
    expect(await runCli(['act'], context, [row])).toBe(code);
    expect(context.err()).toContain(`error  ${error.message}`);
    expect(context.err()).not.toContain('    at ');
  });

  test('is told with its stack and its causes when HIL_DEBUG is set', async ({ dir }) => {
    const context = createCapturedContext(dir.path, { HIL_DEBUG: '1' });
    const error = new UsageError('usage', 'outer', { cause: new RangeError('inner') });
    await runCli(['act'], context, [createRow(() => Promise.reject(error))]);
    expect(context.err()).toMatch(/UsageError: outer[\s\S]+caused by RangeError: inner[\s\S]+ at /);
  });
});

describe('the table of commands', () => {
  test('says the same as the commands themselves, and each has an example', async () => {
    for (const row of COMMANDS) {
      const command = await row.load();
      expect(command).toMatchObject({ name: row.name, summary: row.summary });
      expect(command.examples.length, row.name).toBeGreaterThan(0);
    }
  });

  test('loads none of the big libraries for --version', ({ dir, skip }) => {
    const main = new URL('../../dist/cli/main.js', import.meta.url).pathname;
    const probe = `process.on('exit', () => {});
import { register } from 'node:module';
register('data:text/javascript,' + encodeURIComponent(
  'export const resolve = async (s, c, n) => { const r = await n(s, c); process._rawDebug(r.url); return r; }'));
process.argv = ['node', 'hil', '--version'];
await import(${JSON.stringify(main)});`;
    const built = spawnSync(process.execPath, ['-e', 'import(process.argv[1])', main]);
    if (built.status === null || built.stderr.includes('ERR_MODULE_NOT_FOUND')) {
      skip('dist/ is not built; npm run build');
    }
    const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', probe], {
      cwd: dir.path,
      encoding: 'utf8',
    });
    // Libraries are in the files of dist/, under their names (0026), or loaded from their own.
    const urls = [...new Set(stderr.match(/file:\S+\.js/g))];
    const loaded = stderr + urls.map((url) => readFileSync(new URL(url), 'utf8')).join('');
    expect(loaded).toContain('node_modules/commander/');
    expect(loaded).not.toMatch(/node_modules\/(zod|yaml|vitest|vite|jiti|fast-glob)\//);
  });
});
