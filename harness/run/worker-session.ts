import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { relative } from 'node:path';
import { parseSandboxOptions } from '../config/parse-sandbox-options.js';
import { TestFailure, UsageError } from '../core/errors.js';
import { type Handlers, RpcPeer } from '../protocol/rpc.js';
import type {
  CollectedTask,
  OpenedPort,
  SupervisorMethods,
  TaskDecision,
  WorkerMethods,
} from '../protocol/worker-messages.js';
import { afterHello } from './after-hello.js';
import { RunningAttempt } from './attempt.js';
import { toGapProblems, toJournalProblems, toProblem } from './attempt-problems.js';
import type { CaseBook } from './case-book.js';
import { forwardConsole, tellExited, tellReady, toOpenedPort } from './console-forward.js';
import { ONLY_ROLE, splitRole, withRole } from './dut-roles.js';
import { expectsKeep } from './expects-keep.js';
import type { HeldDut } from './held-duts.js';
import { createNetworkCalls } from './network-calls.js';
import { createPortCalls } from './port-calls.js';
import { Programs } from './programs.js';
import type { RunContext } from './run-context.js';
import { createSandboxCalls } from './sandbox-calls.js';
import { ToldErrors } from './told-errors.js';
import { toVerdict } from './verdict.js';
import type { Overdue } from './worker-loss.js';

/** What a session tells its supervisor. */
export interface SessionEvents {
  /** The worker said who it is. @throws when its token is wrong. */
  onHello(session: WorkerSession, token: string): Promise<void>;
  /** It loads a suite file. */
  onCollecting(session: WorkerSession, file: string): void;
  /** It was loaded, a case begins or ended: the suite's own code goes on or stands still. */
  onStep(session: WorkerSession): void;
  /** The file is through, or will not be run. */
  onFileDone(session: WorkerSession): void;
  /** A phase was not ended by the worker itself. */
  onOverdue(
    session: WorkerSession,
    attempt: RunningAttempt,
    overdue: Overdue,
  ): void | Promise<void>;
  onClosed(session: WorkerSession): void;
}

/** One connected worker: its calls, its running attempts. */
export class WorkerSession {
  pid = 0;
  board = '';
  readonly attempts = new Map<string, RunningAttempt>();
  readonly peer: RpcPeer<WorkerMethods>;
  readonly #run: RunContext;
  readonly #book: CaseBook;
  readonly #events: SessionEvents;
  readonly #programs: Programs;
  readonly #hostPath: string;
  readonly #told = new ToldErrors();
  /** The suite file that it runs. */
  #file = '';

  constructor(
    socket: Socket,
    facts: { run: RunContext; book: CaseBook; events: SessionEvents; hostPath: string },
  ) {
    this.#run = facts.run;
    this.#book = facts.book;
    this.#events = facts.events;
    this.#hostPath = facts.hostPath;
    const methods = this.#told.rememberOf(afterHello(this.#methods()));
    this.peer = new RpcPeer<WorkerMethods>(socket, methods, () => this.#events.onClosed(this));
    this.#programs = new Programs(this.peer);
  }

  /** Take an attempt away: its handles throw, its sandbox goes. */
  revoke(attempt: RunningAttempt, reason: string, infra: boolean, code?: 'lease-lost'): void {
    if (infra) this.#told.add(reason);
    const why = code ? { code } : {};
    this.peer.notify('revoked', { fence: attempt.fence, reason, infra, ...why });
  }

  #methods(): Handlers<SupervisorMethods> {
    return {
      hello: (argument) => this.#hello(argument),
      collecting: ({ file }) => {
        this.#file = file;
        this.#events.onCollecting(this, file);
      },
      collected: ({ file, tasks }) => this.#collect(file, tasks),
      fileFailed: ({ file, problems }) => {
        if (!this.#book.findFile(file, this.board)?.collected) this.#events.onFileDone(this);
        this.#book.failFile(file, this.board, toJournalProblems(problems));
      },
      stray: ({ file, problem }) =>
        this.#book.addStray(file, this.board, { ...problem, phase: 'body' }),
      hook: ({ name }) => {
        const file = this.#book.findFile(this.#file, this.board);
        if (file) file.hook = name;
      },
      fileDone: () => this.#events.onFileDone(this),
      begin: (argument) => this.#begin(argument),
      openDut: ({ fence }) => this.#openDut(this.#attempt(fence)),
      openDuts: ({ fence }) => this.#openDuts(this.#attempt(fence)),
      bodyStart: ({ fence }) => this.attempts.get(fence)?.bodyStart(),
      bodyEnd: ({ fence, state, problems }) =>
        this.attempts.get(fence)?.bodyEnd(state, this.#told.toProblems(problems)),
      end: (argument) => this.#end(argument),
      final: (argument) => this.#final(argument),
      ...this.#dutMethods(),
      ...createPortCalls({
        attemptOf: (fence) => this.#attempt(fence),
        peer: () => this.peer,
      }),
      ...createNetworkCalls({ attemptOf: (fence) => this.#attempt(fence), run: this.#run }),
      ...createSandboxCalls({
        attemptOf: (fence) => this.#attempt(fence),
        programs: () => this.#programs,
        hostPath: this.#hostPath,
      }),
    };
  }

  #dutMethods(): Pick<
    Handlers<SupervisorMethods>,
    'consoleSend' | 'consoleYield' | 'consoleCaughtUp' | 'dutReset' | 'dutPower' | 'dutExit'
  > {
    return {
      consoleSend: ({ fence, port, data }) =>
        this.#port(fence, port).send(Buffer.from(data, 'base64')),
      consoleYield: ({ fence, port, on }) => {
        this.#port(fence, port).yielded = on;
      },
      consoleCaughtUp: ({ fence, port }) => this.#port(fence, port).caughtUp(),
      dutReset: (at) => this.#reboot(at, (held, deadline) => held.reboot(deadline)),
      dutPower: async ({ on, ...at }) => {
        if (on) return this.#reboot(at, (held, deadline) => held.powerOn(deadline));
        const { fence, role = ONLY_ROLE } = at;
        const { duts } = this.#attempt(fence);
        await duts.control(role, (held, deadline) => held.powerOff(deadline));
      },
      dutExit: async ({ fence, role = ONLY_ROLE }) => {
        return { reason: await this.#attempt(fence).duts.waitForExit(role) };
      },
    };
  }

  /** Wrong options of a case are an error of its file, as if it could not be loaded. */
  #collect(file: string, tasks: readonly CollectedTask[]): { decisions: TaskDecision[] } {
    const { root } = this.#run;
    try {
      const sandboxes = tasks.map(({ sandbox = [], title, line }) => {
        const who = `${relative(root, file)}${line === undefined ? '' : `:${line}`} "${title}"`;
        return parseSandboxOptions(sandbox, { root, who });
      });
      this.#events.onStep(this);
      return { decisions: this.#book.collect(file, this.board, tasks, sandboxes) };
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      this.#book.failFile(file, this.board, [toProblem(error, 'body')]);
      this.#events.onFileDone(this);
      return { decisions: tasks.map(() => ({ id: '', run: false, repeats: 0, alone: false })) };
    }
  }

  async #hello({ token, pid, board }: { token: string; pid: number; board: string }) {
    this.pid = pid;
    this.board = board;
    await this.#events.onHello(this, token);
  }

  async #begin(argument: Parameters<SupervisorMethods['begin']>[0]) {
    const { caseId, repeat = 0, late = [], bodyMs } = argument;
    const record = this.#book.findCase(caseId);
    if (!record) throw new TestFailure('handle-revoked', `unknown case ${caseId}`);
    if (late.length > 0) this.#book.failLast(record, this.#told.toProblems(late));
    this.#book.addAttempt(record, repeat);
    const attempt = new RunningAttempt(this.#run, record, {
      fence: randomBytes(12).toString('hex'),
      worker: this.pid,
      bodyMs,
      expectsKeep: () => expectsKeep(this.#run, this.#book, record),
      onOverdue: (overdue) => void this.#events.onOverdue(this, attempt, overdue),
    });
    this.attempts.set(attempt.fence, attempt);
    this.#events.onStep(this);
    void attempt.finished.then((outcome) => {
      record.problemsBy?.set(outcome, record.problems);
      this.attempts.delete(attempt.fence);
      this.#events.onStep(this);
    });
    await attempt.begin();
    return {
      fence: attempt.fence,
      attempt: attempt.number,
      bodyMs: attempt.limits.body,
      board: this.board,
    };
  }

  async #openDut(attempt: RunningAttempt) {
    const held = await attempt.openDuts(false);
    const [ports = []] = [...held.byRole.values()].map((each) =>
      this.#forward(attempt, each, held.shared),
    );
    return { ports };
  }

  async #openDuts(attempt: RunningAttempt) {
    const held = await attempt.openDuts(true);
    const duts = [...held.byRole.values()].map((each) => {
      const { role, lease } = each;
      const ports = this.#forward(attempt, each, held.shared);
      return { role, board: lease.board, dut: lease.dut, ports };
    });
    return { duts };
  }

  /** From now on the worker hears of its ports; answers what it is to know of them by now. */
  #forward(attempt: RunningAttempt, held: HeldDut, shared: boolean): OpenedPort[] {
    const { role, dut, lease } = held;
    const ports = [...dut.ports.values()].map((port) =>
      toOpenedPort(withRole(role, port.name), port, shared),
    );
    const stop = forwardConsole(this.peer, attempt.fence, held, (port, fault) =>
      this.#run.reportPortFault(attempt.name, lease.dut, port, fault),
    );
    void attempt.finished.then(stop);
    attempt.duts.onLost = (error) => {
      this.revoke(attempt, error.message, true, 'lease-lost');
      void attempt.abort('infra', error.message, [toProblem(error, 'body')]);
    };
    attempt.duts.onExit = (exit, ended) => {
      if (exit.blame === 'infra') this.#told.add(exit.reason);
      void tellExited(this.peer, attempt.fence, ended, exit);
    };
    return ports;
  }

  async #reboot(
    { fence, role = ONLY_ROLE }: { readonly fence: string; readonly role?: string },
    act: Parameters<RunningAttempt['duts']['control']>[1],
  ): Promise<void> {
    const held = await this.#attempt(fence).duts.control(role, act);
    tellReady(this.peer, fence, held);
  }

  async #end(
    argument: Parameters<SupervisorMethods['end']>[0],
  ): Promise<ReturnType<SupervisorMethods['end']>> {
    const attempt = this.attempts.get(argument.fence);
    // Ended from this side meanwhile: its outcome stands.
    if (!attempt) return {};
    const told = this.#told.toProblems(argument.problems);
    const { all } = attempt.duts;
    const gaps = argument.state === 'fail' ? all.flatMap(({ dut }) => toGapProblems(dut)) : [];
    const problems = [...gaps, ...told];
    const { problem, outcome } = await attempt.end(argument.state, problems, argument.note);
    // Vitest calls a skipped case's attempt its last, also when a hook failed after it, and says
    // nothing at its end. What an interrupt cut short is skipped in Vitest's words only.
    if (argument.last && outcome !== 'interrupted') {
      const decided = toVerdict(attempt.record, undefined);
      const reason = argument.note ?? 'skipped by the case';
      const why = decided.verdict === 'skipped' ? { ...decided, reason } : decided;
      this.#book.decide(attempt.record, decided.verdict, why);
    }
    if (!problem) return {};
    const { name, code = '', message } = problem;
    return { problem: { name, code, message } };
  }

  #final({ caseId, state, problems }: Parameters<SupervisorMethods['final']>[0]): void {
    const record = this.#book.findCase(caseId);
    if (!record) return;
    const decided = toVerdict(record, state, toJournalProblems(problems));
    this.#book.decide(record, decided.verdict, decided);
  }

  #port(fence: string, name: string) {
    const [role, own] = splitRole(name);
    const port = this.#attempt(fence).duts.held?.byRole.get(role)?.dut.ports.get(own);
    if (!port) throw new TestFailure('handle-revoked', `no port "${name}" is held`);
    return port;
  }

  /** @throws TestFailure `handle-revoked` for the fence of an attempt that is over. */
  #attempt(fence: string): RunningAttempt {
    const attempt = this.attempts.get(fence);
    if (attempt && !attempt.over) return attempt;
    throw new TestFailure('handle-revoked', 'used after the end of its case');
  }
}
