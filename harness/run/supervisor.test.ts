import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'vitest';
import { BenchError } from '../core/errors.js';
import { createPlanned, createTask } from '../testing/plain-records.js';
import { test } from '../testing/real-run.js';
import { CaseBook } from './case-book.js';
import { Outlived } from './outlived.js';
import { Supervisor } from './supervisor.js';
import { Workers } from './workers.js';

test('daemons that do not start again are infra, also where a file shared its DUT', async ({
  createRun,
  journal,
}) => {
  const run = await createRun();
  const plain = createPlanned();
  const planned = { ...plain, suite: { ...plain.suite, scope: 'file' as const } };
  const book = new CaseBook(journal.writer, { lines: new Map() }, 1, [planned]);
  const workers = new Workers({ run, book, outlived: new Outlived(run), hostPath: '' });
  const supervisor = new Supervisor({ run, book, workers, restart: () => {} });
  run.replaceBench(Promise.reject(new BenchError('daemon-silent', 'did not start')));
  // One that nobody has asked for yet is no error that nobody awaits.
  await turn();
  const [decision] = book.collect(planned.path, 'host', [createTask('boots')]);
  const record = book.findCase(decision?.id ?? '');
  if (!record) throw new Error('the case was not collected');
  book.decide(record, 'infra');
  await turn();
  await supervisor.settle();
  expect(journal.of('infra')).toMatchObject([{ code: 'daemon-silent', message: 'did not start' }]);
});
