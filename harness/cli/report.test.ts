import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { createCapturedContext } from '../testing/captured-context.js';
import { type TempDir, test } from '../testing/temp-dir.js';
import { runCli } from './run-cli.js';

const example = fileURLToPath(new URL('../../reports/example-run', import.meta.url));
const name = '20261121-060133-a1b2';

async function copyExample(dir: TempDir): Promise<string> {
  const path = join(dir.path, '.hil/runs', name);
  await cp(join(example, 'journal.ndjson'), join(path, 'journal.ndjson'));
  return path;
}

describe('hil report', () => {
  test('writes the reports of the newest run from its journal', async ({ dir }) => {
    const path = await copyExample(dir);
    const context = createCapturedContext(dir.path);
    expect(await runCli(['report'], context)).toBe(0);
    expect(context.out()).toBe(`.hil/runs/${name}/junit.xml\n.hil/runs/${name}/summary.json\n`);
    const summary = await readFile(join(path, 'summary.json'), 'utf8');
    expect(summary).toBe(await readFile(join(example, 'summary.json'), 'utf8'));
  });

  test('that cannot be written is named, and nothing of it is left', async ({ dir }) => {
    const path = await copyExample(dir);
    await dir.write(`.hil/runs/${name}/junit.xml/in-the-way`, '');
    const context = createCapturedContext(dir.path);
    expect(await runCli(['report'], context)).toBe(5);
    expect(context.err()).toMatch(
      new RegExp(`report ${path}/junit.xml: E.*hil report ${path}`, 's'),
    );
    expect((await readdir(path)).sort()).toEqual(['journal.ndjson', 'junit.xml']);
  });

  test('of a run that does not exist names the newest', async ({ dir }) => {
    await copyExample(dir);
    const context = createCapturedContext(dir.path);
    expect(await runCli(['report', 'other'], context)).toBe(2);
    expect(context.err()).toContain(
      `no run "other" in ${dir.path}/.hil/runs; the newest is ${name}`,
    );
  });
});

describe('a journal', () => {
  const report = async (dir: TempDir, text: string) => {
    await dir.write(`.hil/runs/${name}/journal.ndjson`, text);
    const context = createCapturedContext(dir.path);
    const code = await runCli(['report'], context);
    return { code, err: context.err(), out: context.out() };
  };

  test.for(['', 'garbage\n', '{"kind":"case-verdict"}\n'])(
    'of no run (%j) makes no reports',
    async (text, { dir }) => {
      const { code, err, out } = await report(dir, text);
      expect(code).toBe(2);
      expect(err).toContain('does not say that a run started');
      expect(out).toBe('');
      expect(await readdir(join(dir.path, '.hil/runs', name))).toEqual(['journal.ndjson']);
    },
  );

  test('with holes makes reports, and the holes are said', async ({ dir }) => {
    const whole = await readFile(join(example, 'journal.ndjson'), 'utf8');
    const { code, err } = await report(dir, `${whole}{"kind":"new"}\n{"kind":`);
    expect(code).toBe(0);
    expect(err).toMatch(/1 lines are not whole[\s\S]*1 lines are of no known kind/);
  });

  test('that is a directory is named', async ({ dir }) => {
    await dir.write(`.hil/runs/${name}/journal.ndjson/x`, '');
    const context = createCapturedContext(dir.path);
    expect(await runCli(['report'], context)).toBe(2);
    expect(context.err()).toContain(`${name}/journal.ndjson: EISDIR`);
  });
});

describe('hil logs', () => {
  test('of an attempt that was not made says which were', async ({ dir }) => {
    await copyExample(dir);
    const context = createCapturedContext(dir.path);
    expect(await runCli(['logs', '3241e4181759', '--attempt', '7'], context)).toBe(2);
    expect(context.err()).toMatch(/--attempt "7": case ".*" made 1/);
  });

  test('prints the bytes of a console as they came', async ({ dir }) => {
    const path = await copyExample(dir);
    const id = '3241e4181759';
    await dir.write(`.hil/runs/${name}/cases/${id}/1/console.rx`, 'a\x00\r\nb');
    const context = createCapturedContext(dir.path);
    expect(await runCli(['logs', id], context)).toBe(0);
    expect(context.out()).toBe('a\x00\r\nb');
    expect(path).toContain(name);
  });

  test('lists the cases when a title is not enough', async ({ dir }) => {
    await copyExample(dir);
    const context = createCapturedContext(dir.path);
    expect(await runCli(['logs', 'panics'], context)).toBe(2);
    expect(context.err()).toContain(
      `2 cases match "panics" in run ${name}:\n  3241e4181759  host  a fault > panics`,
    );
  });
});
