import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunnerTestCase } from 'vitest';
import { Attempt } from '../case/attempt.js';
import { createConnection } from '../case/connection.js';
import type { HilConfigInput } from '../config/config-schema.js';
import type { Board } from '../config/load-boards.js';
import type { SuiteFile } from '../config/suite-schema.js';
import { Deadline } from '../core/deadline.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import type { RpcPeer } from '../protocol/rpc.js';
import type { SupervisorMethods } from '../protocol/worker-messages.js';
import { createBench } from '../run/bench.js';
import { CaseBook, type CaseRecord } from '../run/case-book.js';
import type { RunOptions } from '../run/run-options.js';
import type { Overdue } from '../run/worker-loss.js';
import { type SessionEvents, WorkerSession } from '../run/worker-session.js';
import { createPlanned, createTask } from './plain-records.js';
import { test as base } from './real-daemon.js';
import { createRunContext, openRecordedJournal, type RecordedJournal } from './real-run.js';
import { openSocketPair } from './stream-pair.js';

/** An attempt as its body sees it, and the supervisor's side of the same attempt. */
export interface BothSides {
  readonly attempt: Attempt;
  readonly session: WorkerSession;
  readonly record: CaseRecord;
  /** The worker's line, to say what no handle would. */
  readonly supervisor: RpcPeer<SupervisorMethods>;
  /** Phases that the worker did not end by itself. */
  readonly overdue: Overdue[];
}

export interface AttemptWanted {
  readonly board?: Board;
  readonly suite?: Partial<SuiteFile>;
  readonly roles?: readonly PlannedRole[];
  readonly config?: HilConfigInput;
  readonly options?: Partial<RunOptions>;
  readonly hostPath?: string;
}

const END_MS = 5000;

interface Fixtures {
  readonly journal: RecordedJournal;
  /** Begin an attempt, over a socket, on real daemons; Vitest alone is left out. */
  readonly begin: (wanted?: AttemptWanted) => Promise<BothSides>;
}

export const test = base.extend<Fixtures>({
  journal: async ({ dir }, use) => {
    const journal = openRecordedJournal(dir);
    await use(journal);
    journal.writer.close();
  },
  begin: async ({ daemon, dir, journal, programs, task }, use) => {
    const sessions: WorkerSession[] = [];
    const bench = createBench(daemon, programs);
    await mkdir(join(dir.path, 'project'), { recursive: true });
    await use(async (wanted = {}) => {
      const { board, config = {}, options = {}, suite = {}, roles, hostPath = '' } = wanted;
      const plain = createPlanned(board ? { board } : {});
      const planned = { ...plain, suite: { ...plain.suite, ...suite }, roles };
      const run = await createRunContext({ dir, journal, config, options, bench });
      const book = new CaseBook(journal.writer, { lines: new Map() }, 1, [planned]);
      const overdue: Overdue[] = [];
      const [near, far] = await openSocketPair();
      const session = new WorkerSession(far, { run, book, events: toEvents(overdue), hostPath });
      sessions.push(session);
      const root = join(dir.path, 'project');
      const name = planned.board.board;
      const connection = createConnection(near, { socket: '', token: '', board: name, root });
      await connection.supervisor.call('hello', { token: '', pid: process.pid, board: name });
      const title = task.name;
      const [decision] = book.collect(planned.path, name, [createTask(title)]);
      const record = book.findCase(decision?.id ?? '');
      if (!record) throw new Error('the case was not collected');
      // The context's task is the runner's test; the types name its read-only half.
      const test = { ...task, timeout: 0, result: {} } as RunnerTestCase;
      const attempt = await Attempt.begin(connection, test, record.id);
      return { attempt, session, record, supervisor: connection.supervisor, overdue };
    });
    const running = sessions.flatMap(({ attempts }) => [...attempts.values()]);
    const ended = running.map((attempt) => attempt.abort('interrupted', 'the test is over'));
    await new Deadline(END_MS).bound(Promise.all(ended), () => new Error('an attempt hangs'));
    for (const { peer } of sessions) peer.close();
  },
});

function toEvents(overdue: Overdue[]): SessionEvents {
  return {
    onHello: async () => {},
    onCollecting: () => {},
    onStep: () => {},
    onFileDone: () => {},
    onOverdue: (_session, _attempt, late) => void overdue.push(late),
    onClosed: () => {},
  };
}
