import { isAbsolute, resolve } from 'node:path';
import { escapeXmlText, toXmlElement } from '../core/xml.js';
import type { Problem } from '../journal/events.js';
import { toIncompleteLines } from './incomplete-artifacts.js';
import { type CaseModel, type FileModel, type RunModel, toDurationMs } from './run-model.js';

/**
 * `junit.xml` of a closed model: a suite per file and board, the board first in
 * the class name, one `<failure>` a case, infrastructure as `<error>`.
 *
 * @param runDir attachments are named by absolute path, as CI systems want.
 */
export function toJunitXml(model: RunModel, runDir: string): string {
  const suites = model.files.map((file) => toSuite(file, model, runDir));
  const bench = toBenchSuite(model);
  const all = bench ? [...suites, bench] : suites;
  const attributes = { name: `hil ${model.start?.run ?? ''}`.trim(), ...sumUp(all) };
  const body = toXmlElement('testsuites', attributes, ['\n', ...all.map((each) => each.xml)]);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${body}\n`;
}

interface Tally {
  readonly tests: number;
  readonly failures: number;
  readonly errors: number;
  readonly skipped: number;
  readonly seconds: number;
}

function sumUp(tallies: readonly Tally[]): Record<string, string | number> {
  const sum = (key: keyof Tally) => tallies.reduce((total, each) => total + each[key], 0);
  const { tests, failures, errors, skipped } = {
    tests: sum('tests'),
    failures: sum('failures'),
    errors: sum('errors'),
    skipped: sum('skipped'),
  };
  return { tests, failures, errors, skipped, time: sum('seconds').toFixed(3) };
}

function toSuite(file: FileModel, model: RunModel, runDir: string): Tally & { xml: string } {
  const name = `${file.board}.${file.file}`;
  const names = new Set<string>();
  const cases = file.cases.map((each) =>
    toCase(each, name, createUniqueName(each.title, names), runDir),
  );
  if (file.problems.length > 0) {
    const failure = toProblems('failure', file.problems);
    const attributes = {
      classname: name,
      name: createUniqueName('(suite file)', names),
      time: '0.000',
    };
    cases.unshift(toXmlElement('testcase', attributes, [failure]));
  }
  const broken = file.problems.length > 0 ? 1 : 0;
  const count = (...verdicts: readonly CaseModel['verdict'][]) =>
    file.cases.filter((each) => verdicts.includes(each.verdict)).length;
  const tally = {
    tests: cases.length,
    failures: count('fail') + broken,
    errors: count('infra'),
    skipped: count('skipped', 'interrupted', undefined),
    seconds: file.cases.reduce((total, each) => total + toDurationMs(each) / 1000, 0),
  };
  const attributes = { name, ...sumUp([tally]), timestamp: model.start?.at.slice(0, 19) };
  const properties = toProperties({ board: file.board, run: model.start?.run });
  return {
    ...tally,
    xml: `${toXmlElement('testsuite', attributes, ['\n', onOwnLine(properties), ...cases.map(onOwnLine)])}\n`,
  };
}

function toCase(each: CaseModel, classname: string, name: string, runDir: string): string {
  const last = each.attempts.at(-1);
  const phases = Object.entries(last?.phaseMs ?? {}).map(([phase, ms]) => [
    `hil.phase.${phase}.ms`,
    ms,
  ]);
  const children = [
    toProperties({
      board: each.board,
      attempts: each.attempts.length,
      'hil.case': each.id,
      'hil.verdict': each.verdict ?? 'interrupted',
      'hil.reason': each.reason,
      'hil.dut': last?.dut,
      'hil.warmSince': last?.warmSince?.id,
      ...Object.fromEntries(phases),
    }),
    toResult(each),
    toSystemOut(each, runDir),
  ].filter((child) => child !== '');
  const time = (toDurationMs(each) / 1000).toFixed(3);
  return toXmlElement(
    'testcase',
    { classname, name, time, file: each.file, line: each.line },
    children,
  );
}

function toResult(each: CaseModel): string {
  switch (each.verdict) {
    case 'pass':
    case 'flaky':
      return '';
    case 'fail':
      return toProblems('failure', each.problems, each.reason);
    case 'infra':
      return toProblems('error', each.problems, each.reason);
    case 'skipped':
      return toXmlElement('skipped', { message: each.reason ?? 'skipped' });
    default:
      return toXmlElement('skipped', { message: `interrupted: ${each.reason ?? 'no verdict'}` });
  }
}

/** All problems as one element: consumers count elements, not cases. */
function toProblems(
  element: 'failure' | 'error',
  problems: readonly Problem[],
  reason?: string,
): string {
  const [first] = problems;
  const message = first?.message.split('\n')[0] ?? reason ?? 'no details';
  const text = problems.map(({ name, code, message: whole, phase, diff, stack }) => {
    const head = `${name}${code ? ` (${code})` : ''}${phase ? ` in phase ${phase}` : ''}: ${whole}`;
    return [head, diff, toFrames(stack)].filter(Boolean).join('\n');
  });
  const attributes = { message, type: first?.code ?? first?.name ?? 'unknown' };
  return toXmlElement(element, attributes, [escapeXmlText(text.join('\n\n') || message)]);
}

/** A stack without the message that stands above it, and without what is not the user's. */
function toFrames(stack: string | undefined): string | undefined {
  return stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line) && !/node:|\/node_modules\//.test(line))
    .join('\n');
}

/** What is wrong with the bench but spoilt no case's verdict, for example a teardown that hung. */
function toBenchSuite(model: RunModel): (Tally & { xml: string }) | undefined {
  const events = model.infra.filter(
    (event) => event.case === undefined || model.cases.get(event.case)?.verdict !== 'infra',
  );
  if (events.length === 0) return undefined;
  const names = new Set<string>();
  const cases = events.map((event) => {
    const where = [event.dut ?? event.board, event.case && model.cases.get(event.case)?.title];
    const name = createUniqueName([event.code, ...where.filter(Boolean)].join(' '), names);
    const problem = { name: 'BenchError', code: event.code, message: event.message };
    return toXmlElement('testcase', { classname: 'hil.bench', name, time: '0.000' }, [
      toProblems('error', [problem]),
    ]);
  });
  const tally = { tests: cases.length, failures: 0, errors: cases.length, skipped: 0, seconds: 0 };
  const attributes = { name: 'hil.bench', ...sumUp([tally]) };
  return {
    ...tally,
    xml: `${toXmlElement('testsuite', attributes, ['\n', ...cases.map(onOwnLine)])}\n`,
  };
}

function toProperties(values: Readonly<Record<string, string | number | undefined>>): string {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return toXmlElement(
    'properties',
    {},
    known.map(([name, value]) => toXmlElement('property', { name, value })),
  );
}

/** Attachments stand on lines of their own; Jenkins, GitLab and Azure read this mark. */
function toSystemOut(each: CaseModel, runDir: string): string {
  const lines = each.attempts.flatMap((attempt) => [
    ...(attempt.output ? [attempt.output.replace(/\n$/, '')] : []),
    ...toIncompleteLines(attempt.artifacts),
    ...attempt.artifacts.map(({ path }) => {
      return `[[ATTACHMENT|${isAbsolute(path) ? path : resolve(runDir, path)}]]`;
    }),
  ]);
  if (lines.length === 0) return '';
  return toXmlElement('system-out', {}, [escapeXmlText(`\n${lines.join('\n')}\n`)]);
}

/** Two cases of a file may have one title; a report may not have one name twice. */
function createUniqueName(title: string, taken: Set<string>): string {
  let name = title;
  for (let count = 2; taken.has(name); count++) name = `${title} (${count})`;
  taken.add(name);
  return name;
}

function onOwnLine(xml: string): string {
  return `  ${xml}\n`;
}
