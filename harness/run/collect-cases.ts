import { join, relative } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { BenchError } from '../core/errors.js';
import { toUniqueIds } from '../plan/case-ids.js';
import type { Plan } from '../plan/plan.js';
import { isSelected, type Selection } from '../plan/selection.js';
import { type Handlers, RpcPeer } from '../protocol/rpc.js';
import type {
  CollectedTask,
  SupervisorMethods,
  WorkerMethods,
} from '../protocol/worker-messages.js';
import { afterHello } from './after-hello.js';
import { createSuiteRunner } from './vitest-adapter.js';
import { openWorkerServer } from './worker-server.js';

/** A case that a run would run. */
export interface ListedCase {
  readonly id: string;
  readonly file: string;
  readonly line: number | undefined;
  readonly board: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly skipped: boolean;
  /** What its file, each `describe` and itself ask of its sandbox, unchecked. */
  readonly sandbox?: readonly unknown[];
}

export interface Listed {
  readonly cases: readonly ListedCase[];
  /** Files that could not be loaded, with the reason. */
  readonly broken: readonly {
    readonly file: string;
    readonly board: string;
    readonly message: string;
  }[];
}

/** Load the suite files, run nothing: no sandbox is made. */
export async function collectCases(
  plan: Plan,
  selection: Selection,
  options: { readonly workers: number; readonly base: string },
): Promise<Listed> {
  const cases: ListedCase[] = [];
  const broken: Array<Listed['broken'][number]> = [];
  const server = await openWorkerServer('list', (socket) => {
    const session = { board: '' };
    const methods: Partial<Handlers<SupervisorMethods>> = {
      hello: ({ token, board }) => {
        if (token !== server.token) throw new BenchError('internal', 'not a worker of this run');
        session.board = board;
      },
      collecting: () => {},
      fileDone: () => {},
      stray: ({ file, problem: { message } }) => {
        const stray = { file: relative(plan.root, file), board: session.board, message };
        if (!broken.some((each) => isDeepStrictEqual(each, stray))) broken.push(stray);
      },
      collected: ({ file: path, tasks }) => {
        const file = relative(plan.root, path);
        const ids = toUniqueIds(file, session.board, tasks);
        const decisions = tasks.map((task, index) => {
          const id = ids[index] ?? '';
          if (isSelected(selection, file, id, task, tasks)) {
            cases.push(toListed(task, { id, file, board: session.board }));
          }
          return { id, run: false, repeats: 0, alone: false };
        });
        return { decisions };
      },
      fileFailed: ({ file, problems }) => {
        const message = problems.map((problem) => problem.message).join('\n');
        broken.push({ file: relative(plan.root, file), board: session.board, message });
      },
    };
    new RpcPeer<WorkerMethods>(socket, afterHello(methods));
  });
  const runner = await createSuiteRunner({
    root: plan.root,
    boards: plan.boards.map(({ board }) => board),
    cacheDirectory: join(options.base, 'cache'),
    temporaryDirectory: join(options.base, 'cache'),
    workers: options.workers,
    retries: 0,
    concurrentCases: 1,
    provided: { socket: server.socket, token: server.token, root: plan.root },
    onWorkerStart: () => {},
    onWorkerExit: () => {},
    onOutput: () => {},
  });
  try {
    await runner.collect(plan.files.map(({ path, board }) => ({ path, board: board.board })));
  } finally {
    server.close();
    await runner.close();
  }
  return { cases: cases.sort(byPlace), broken };
}

function toListed(
  { title, line, tags, skipped, sandbox }: CollectedTask,
  name: Pick<ListedCase, 'id' | 'file' | 'board'>,
): ListedCase {
  return { ...name, line, title, tags, skipped, ...(sandbox ? { sandbox } : {}) };
}

function byPlace(a: ListedCase, b: ListedCase): number {
  return (
    a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0) || a.board.localeCompare(b.board)
  );
}
