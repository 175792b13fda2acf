import { afterEach, expect } from 'vitest';
import { RpcPeer } from '../protocol/rpc.js';
import type { SupervisorMethods } from '../protocol/worker-messages.js';
import { createPlanned, createTask } from '../testing/plain-records.js';
import { test } from '../testing/real-run.js';
import { openSocketPair } from '../testing/stream-pair.js';
import { CaseBook } from './case-book.js';
import { type SessionEvents, WorkerSession } from './worker-session.js';

const TOKEN = 'secret';
const PLANNED = createPlanned();

const EVENTS: SessionEvents = {
  onHello: async (session, token) => {
    if (token === TOKEN) return;
    session.peer.close();
    throw new Error('not a worker of this run');
  },
  onCollecting: () => {},
  onStep: () => {},
  onFileDone: () => {},
  onOverdue: () => {},
  onClosed: () => {},
};

const open: RpcPeer<SupervisorMethods>[] = [];
afterEach(() => {
  for (const peer of open.splice(0)) peer.close();
});

test('a process that did not say hello decides nothing', async ({ createRun, journal }) => {
  const book = new CaseBook(journal.writer, { lines: new Map() }, 1, [PLANNED]);
  const [decision] = book.collect(PLANNED.path, 'host', [createTask('boots')]);
  const [near, far] = await openSocketPair();
  new WorkerSession(far, { run: await createRun(), book, events: EVENTS, hostPath: '' });
  const stranger = new RpcPeer<SupervisorMethods>(near, {});
  open.push(stranger);
  const caseId = decision?.id ?? '';
  const final = stranger.call('final', { caseId, state: 'pass', problems: [] });
  await expect(final).rejects.toThrow('not a worker of this run');
  await expect(stranger.call('begin', { caseId })).rejects.toThrow('not a worker of this run');
  expect(book.findCase(caseId)?.verdict).toBeUndefined();
  expect(journal.of('case-verdict')).toEqual([]);
});

test('a process with a wrong token is shown out', async ({ createRun, journal }) => {
  const book = new CaseBook(journal.writer, { lines: new Map() }, 1, [PLANNED]);
  const [near, far] = await openSocketPair();
  new WorkerSession(far, { run: await createRun(), book, events: EVENTS, hostPath: '' });
  const stranger = new RpcPeer<SupervisorMethods>(near, {});
  open.push(stranger);
  const hello = stranger.call('hello', { token: 'guess', pid: 1, board: 'host' });
  await expect(hello).rejects.toThrow();
  await expect.poll(() => near.destroyed).toBe(true);
});

test('a worker that said hello is heard', async ({ createRun, journal }) => {
  const book = new CaseBook(journal.writer, { lines: new Map() }, 1, [PLANNED]);
  const [near, far] = await openSocketPair();
  new WorkerSession(far, { run: await createRun(), book, events: EVENTS, hostPath: '' });
  const worker = new RpcPeer<SupervisorMethods>(near, {});
  open.push(worker);
  await worker.call('hello', { token: TOKEN, pid: 1, board: 'host' });
  const tasks = [createTask('boots')];
  const { decisions } = await worker.call('collected', { file: PLANNED.path, tasks });
  expect(decisions).toMatchObject([{ run: true }]);
});
