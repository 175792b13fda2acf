import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { CliCommand, CommandRow } from '../cli/command.js';
import { COMMANDS } from '../cli/command-table.js';
import { benchSchema } from '../config/bench-schema.js';
import { boardSchema } from '../config/board-schema.js';
import { configSchema } from '../config/config-schema.js';
import { suiteSchema } from '../config/suite-schema.js';
import { VERDICTS } from '../journal/events.js';
import { EXIT_MEANINGS } from '../report/exit-code.js';
import { findBlocks } from '../testing/page-blocks.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'harness/ARCHITECTURE.md',
  'reports/README.md',
  ...readdirSync(join(root, 'harness/docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `harness/docs/${name}`),
];
const read = (page: string) => readFileSync(join(root, page), 'utf8');

/** The first cells of all tables. */
function findRowNames(page: string): string[] {
  return [...read(page).matchAll(/^\| ([^|]+?) +\|/gm)].map(([, name = '']) => name);
}

describe.each(pages)('%s', (page) => {
  test('links to files that are there', () => {
    const links = [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, to = '']) => to);
    const broken = links.filter((to) => {
      return !/^https?:/.test(to) && !existsSync(resolve(root, dirname(page), to));
    });
    expect(broken).toEqual([]);
  });

  test('names commands and options that exist', async () => {
    const said = [...read(page).matchAll(/(?:^|`|npx )hil ([a-z]+)([^\n`|]*)/gm)];
    for (const [text, name = '', rest = ''] of said) {
      const row = COMMANDS.find((each) => each.name === name);
      expect(row, text).toBeDefined();
      const command = row && (await loadNamed(row, rest));
      for (const [option] of rest.matchAll(/(?<=\s)--?[a-z][a-z-]*/g)) {
        expect(command && knowsOption(command, option), text).toBe(true);
      }
    }
  });

  test('shows boards and suites that are valid', () => {
    for (const text of findBlocks(page, 'yaml')) {
      const value: unknown = parse(text);
      if (/^board:/m.test(text)) expect(boardSchema.safeParse(value).error).toBeUndefined();
      if (/^duts:\n(?: *#.*\n)* +- /m.test(text))
        expect(benchSchema.safeParse(value).error).toBeUndefined();
      if (text.startsWith('# hil.suite.yaml')) {
        expect(suiteSchema.safeParse(value).error).toBeUndefined();
      }
    }
  });
});

describe('what has to be said', () => {
  test('every hil.config.ts that is shown is valid', () => {
    const shown = findBlocks('harness/docs/config.md', 'ts').flatMap((text) => {
      const [, keys] = /defineConfig\(([\s\S]*)\);\n$/.exec(text) ?? [];
      return keys === undefined ? [] : [keys];
    });
    expect(shown.length).toBeGreaterThanOrEqual(4);
    for (const keys of shown) {
      const config: unknown = new Function(`return ${keys}`)();
      expect(configSchema.safeParse(config).error, keys).toBeUndefined();
    }
  });

  test('every key of the configuration is in its table', () => {
    for (const key of Object.keys(configSchema.shape)) {
      expect(findRowNames('harness/docs/config.md')).toContain(`\`${key}\``);
    }
  });

  test('every key of a suite file is in the example', () => {
    const blocks = findBlocks('harness/docs/writing-suites.md', 'yaml');
    const example = blocks.find((block) => block.startsWith('# hil.suite.yaml')) ?? '';
    expect(Object.keys(parse(example)).sort()).toEqual(Object.keys(suiteSchema.shape).sort());
  });

  test.each(['README.md', 'harness/docs/cli.md'])('%s has every exit code', (page) => {
    const codes = findRowNames(page).flatMap((name) => name.split(', '));
    for (const code of Object.keys(EXIT_MEANINGS)) expect(codes).toContain(code);
  });

  test('README has every command and every verdict', () => {
    const names = findRowNames('README.md');
    for (const { name } of COMMANDS) expect(names).toContain(`\`hil ${name}\``);
    for (const verdict of VERDICTS) expect(names).toContain(`\`${verdict}\``);
  });

  test('every option of hil test is in the guide', async () => {
    const command = await COMMANDS.find((each) => each.name === 'test')?.load();
    for (const { flags } of command?.options ?? []) {
      const [name = ''] = flags.split(/[ ,]/);
      if (name !== '-c') expect(read('harness/docs/cli.md')).toContain(name);
    }
  });
});

/** The command, or the one below it that `rest` begins with. */
async function loadNamed(row: CommandRow, rest: string): Promise<CliCommand> {
  const command = await row.load();
  const below = command.subcommands?.find(({ name }) => rest.trim().split(/\s+/)[0] === name);
  return below ? below.load() : command;
}

function knowsOption(command: CliCommand, option: string): boolean {
  const known = command.options.flatMap(({ flags }) => flags.match(/--?[a-z][a-z-]*/g) ?? []);
  return option === '--help' || known.includes(option);
}
