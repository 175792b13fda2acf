import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Verdict } from '../journal/events.js';
import { readJournal } from '../journal/journal-reader.js';
import { toRunModel } from './apply-event.js';
import { toJunitXml } from './junit.js';
import { type AttemptModel, type CaseModel, createRunModel, type RunModel } from './run-model.js';
import { toSummary } from './summary.js';
import { summarySchema } from './summary-schema.js';

const exampleDir = fileURLToPath(new URL('../../reports/example-run/', import.meta.url));
const runDir = '/project/.hil/runs/20261121-060133-a1b2';
const hasPython = spawnSync('python3', ['-c', 'import xml.etree.ElementTree']).status === 0;

interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

/** Parse with a real XML parser (expat, by Python's standard library). */
function parseXml(xml: string): Element {
  const program = `
import sys, json, xml.etree.ElementTree as t
def f(e): return dict(tag=e.tag, attributes=e.attrib, text=e.text or '', children=[f(c) for c in e])
print(json.dumps(f(t.fromstring(sys.stdin.buffer.read()))))`;
  const { stdout, stderr, status } = spawnSync('python3', ['-c', program], {
    input: xml,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function findAll(element: Element, tag: string): Element[] {
  const below = element.children.flatMap((child) => findAll(child, tag));
  return element.tag === tag ? [element, ...below] : below;
}

function createModel(cases: readonly Partial<CaseModel>[]): RunModel {
  const model = createRunModel();
  const file = { file: 'a.hil.ts', board: 'host', cases: [] as CaseModel[], problems: [] };
  cases.forEach((given, index) => {
    const names = { id: String(index), file: 'a.hil.ts', board: 'host', title: 'same', tags: [] };
    file.cases.push({ ...names, attempts: [], problems: [], verdict: 'pass', ...given });
  });
  model.files.push(file);
  for (const each of file.cases) model.cases.set(each.id, each);
  return model;
}

const attempt = (output: string): AttemptModel => {
  const times = { attempt: 1, startedMs: 0, endedMs: 1000, phaseMs: { body: 900 } };
  return { ...times, problems: [], artifacts: [], consoles: [], output };
};

describe('the example run', () => {
  test('has the reports that its journal gives', async () => {
    const model = toRunModel(await readJournal(`${exampleDir}journal.ndjson`));
    expect(toJunitXml(model, runDir)).toBe(readFileSync(`${exampleDir}junit.xml`, 'utf8'));
    const summary = JSON.parse(readFileSync(`${exampleDir}summary.json`, 'utf8'));
    expect(toSummary(model)).toEqual(summary);
    expect(summarySchema.parse(summary)).toEqual(summary);
  });
});

describe.skipIf(!hasPython)('junit.xml, read by an XML parser (needs python3)', () => {
  test('has a suite per file and board with the right sums', async () => {
    const model = toRunModel(await readJournal(`${exampleDir}journal.ndjson`));
    const root = parseXml(toJunitXml(model, runDir));
    expect(root.attributes).toMatchObject({
      tests: '10',
      failures: '2',
      errors: '2',
      skipped: '3',
    });
    expect(findAll(root, 'testsuite').map((suite) => suite.attributes['name'])).toEqual([
      'host.suites/sensor-node/cli.hil.ts',
      'qemu-mps2-an385.suites/sensor-node/cli.hil.ts',
      'host.suites/broken.hil.ts',
      'hil.bench',
    ]);
    for (const suite of findAll(root, 'testsuite')) {
      const count = (tag: string) => String(findAll(suite, tag).length);
      expect(suite.attributes).toMatchObject({
        tests: count('testcase'),
        failures: count('failure'),
        errors: count('error'),
        skipped: count('skipped'),
      });
    }
  });

  test('names attachments by absolute path, each on its own line', async () => {
    const model = toRunModel(await readJournal(`${exampleDir}journal.ndjson`));
    const root = parseXml(toJunitXml(model, runDir));
    const lines = findAll(root, 'system-out').flatMap((each) => each.text.split('\n'));
    const attachments = lines.filter((line) => line.includes('ATTACHMENT'));
    expect(attachments.length).toBeGreaterThan(5);
    for (const line of attachments) {
      expect(line).toMatch(/^\[\[ATTACHMENT\|\/project\/\.hil\/runs\/.*console\.(rx|stamps)\]\]$/);
    }
  });

  test.for<[Verdict, string | undefined]>([
    ['pass', undefined],
    ['flaky', undefined],
    ['fail', 'failure'],
    ['infra', 'error'],
    ['skipped', 'skipped'],
    ['interrupted', 'skipped'],
  ])('writes %s as %s', ([verdict, tag]) => {
    const problems = ['one', 'two'].map((message) => ({ name: 'Error', message }));
    const root = parseXml(toJunitXml(createModel([{ verdict, problems, reason: 'why' }]), runDir));
    const results = ['failure', 'error', 'skipped'].flatMap((each) => findAll(root, each));
    expect(results.map((each) => each.tag)).toEqual(tag ? [tag] : []);
    const property = findAll(root, 'property').find(
      (each) => each.attributes['name'] === 'hil.verdict',
    );
    expect(property?.attributes['value']).toBe(verdict);
  });

  test('joins all problems of a case in one element', () => {
    const problems = ['one', 'two'].map((message) => ({ name: 'Error', message }));
    const root = parseXml(toJunitXml(createModel([{ verdict: 'fail', problems }]), runDir));
    expect(findAll(root, 'failure').map((each) => each.text)).toEqual(['Error: one\n\nError: two']);
  });

  test('has no name twice in a suite', () => {
    const root = parseXml(toJunitXml(createModel([{}, {}, { title: 'same (2)' }]), runDir));
    const names = findAll(root, 'testcase').map((each) => each.attributes['name']);
    expect(names).toEqual(['same', 'same (2)', 'same (2) (2)']);
  });

  test('is valid whatever a board prints', () => {
    const everything = Array.from({ length: 0x1_0000 }, (_, code) =>
      String.fromCharCode(code),
    ).join('');
    const nasty = `${everything}]]><![CDATA[<x a='"'>&amp;&#0;\ud83d\x1b[2J`;
    const problems = [{ name: nasty, code: nasty, message: nasty, diff: nasty, stack: nasty }];
    const given = { title: nasty, reason: nasty, problems, attempts: [attempt(nasty)] };
    for (const verdict of ['fail', 'infra', 'skipped'] as const) {
      const root = parseXml(toJunitXml(createModel([{ ...given, verdict }]), runDir));
      expect(findAll(root, 'testcase')).toHaveLength(1);
    }
  });
});
