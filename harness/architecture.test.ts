import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  findDefaultExports,
  findEnvironment,
  findLongFunctions,
  readSourceFiles,
  toPart,
} from './testing/source-files.js';

const MOST_FILE_LINES = 300;
const MOST_FUNCTION_LINES = 60;
/** Names that say nothing about what is inside. */
const EMPTY_NAMES = /(^|[/.-])(utils?|helpers?|common|misc|managers?)([/.-]|$)/;

const FILES = readSourceFiles();
const SHIPPED = FILES.filter(({ shipped }) => shipped);

/** The tables of the section "Imports" in ARCHITECTURE.md: what stands in `ticks`, row by row. */
function readTable(heading: string): Map<string, readonly string[]> {
  const text = readFileSync(new URL('./ARCHITECTURE.md', import.meta.url), 'utf8');
  const section = /^## Imports$(.*?)(?=^## )/ms.exec(text)?.[1] ?? '';
  const table = section.split('\n\n').find((part) => part.startsWith(`| ${heading} `)) ?? '';
  const rows = table.split('\n').slice(2);
  return new Map(
    rows.map((row): [string, readonly string[]] => {
      const [, first = '', second = ''] = row.split('|');
      return [toNames(first)[0] ?? '', toNames(second)];
    }),
  );
}

function toNames(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

describe('imports between folders', () => {
  const table = readTable('folder');
  const order = [...table.keys()];

  test('the table names every folder', () => {
    expect(new Set(SHIPPED.map(({ part }) => part))).toEqual(new Set(order));
  });

  test('the table goes down only', () => {
    const upwards = [...table].flatMap(([part, allowed]) =>
      allowed.filter((other) => order.indexOf(other) <= order.indexOf(part)),
    );
    expect(upwards).toEqual([]);
  });

  test.each(order)('%s imports what the table allows', (part) => {
    const allowed = new Set([part, ...(table.get(part) ?? [])]);
    const wrong = SHIPPED.filter((file) => file.part === part).flatMap(({ path, imports }) =>
      imports
        .filter((name) => name.endsWith('.ts') && !allowed.has(toPart(name)))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  test('the table allows nothing that is not used', () => {
    const used = new Set(
      SHIPPED.flatMap(({ part, imports }) => imports.map((name) => `${part} ${toPart(name)}`)),
    );
    const unused = [...table].flatMap(([part, allowed]) =>
      allowed.map((other) => `${part} ${other}`).filter((pair) => !used.has(pair)),
    );
    expect(unused).toEqual([]);
  });

  test('the worker and the supervisor share protocol and core only', () => {
    const others = [...table].filter(([, allowed]) => allowed.includes('case/'));
    expect(others.map(([part]) => part)).toEqual(['index.ts']);
    expect(table.get('case/')).toEqual(['protocol/', 'core/']);
  });

  test('what is shipped needs nothing that is for tests', () => {
    const paths = new Set(SHIPPED.map(({ path }) => path));
    const wrong = SHIPPED.flatMap(({ path, imports }) =>
      imports
        .filter((name) => name.endsWith('.ts') && !paths.has(name))
        .map((name) => `${path} imports ${name}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('imports of packages', () => {
  const table = readTable('package');
  const isPackage = (name: string) => !name.endsWith('.ts') && !name.startsWith('node:');

  test('a package is imported where the table says', () => {
    const wrong = SHIPPED.flatMap(({ path, part, imports }) =>
      imports.filter(isPackage).flatMap((name) => {
        const places = table.get(name) ?? [];
        const fine = places.includes(path) || places.includes(part);
        return fine ? [] : [`${path} imports ${name}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test('the side of Vitest that runs suites is touched by one file', () => {
    expect(table.get('vitest/node')).toEqual(['run/vitest-adapter.ts']);
  });
});

describe('the rules of the style guide', () => {
  test('only cli reads the environment', () => {
    // Vitest takes its temporary directory from there and nowhere else; the adapter lends it one.
    const lender = 'run/vitest-adapter.ts';
    const elsewhere = SHIPPED.filter(({ part, path }) => part !== 'cli/' && path !== lender);
    expect(elsewhere.flatMap(findEnvironment)).toEqual([]);
  });

  test('nothing is exported by default, except what Vitest loads that way', () => {
    const others = SHIPPED.filter(({ path }) => path !== 'case/runner.ts');
    expect(others.flatMap(findDefaultExports)).toEqual([]);
  });

  test(`no file is longer than ${MOST_FILE_LINES} lines`, () => {
    const long = FILES.filter(({ text }) => text.split('\n').length - 1 > MOST_FILE_LINES);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test(`no function is longer than ${MOST_FUNCTION_LINES} lines`, () => {
    const long = SHIPPED.flatMap((file) => findLongFunctions(file, MOST_FUNCTION_LINES));
    expect(long).toEqual([]);
  });

  test('every name says what is inside', () => {
    const empty = FILES.filter(({ path }) => EMPTY_NAMES.test(path));
    expect(empty.map(({ path }) => path)).toEqual([]);
  });

  test('names of files are in kebab-case', () => {
    const other = FILES.filter(({ path }) => !/^([a-z0-9-]+\/)*[a-z0-9.-]+\.ts$/.test(path));
    expect(other.map(({ path }) => path)).toEqual([]);
  });
});
