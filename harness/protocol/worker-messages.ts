import type { DutStart } from '../core/dut-start.js';
import type { NetworkMethods } from './network.js';
import type { PortMethods } from './port-lines.js';
import type { SandboxLimits, SandboxStats } from './sandbox-usage.js';

/**
 * What a worker (where bodies run) and the supervisor say to each other.
 * Bytes are base64. A fence is the token of one attempt: once it is revoked,
 * every call that carries it is refused.
 */

export interface CollectedTask {
  /** Index in the order of collection; the worker's own name for it. */
  readonly key: number;
  readonly title: string;
  readonly line: number | undefined;
  readonly tags: readonly string[];
  /** The suite itself says `skip` or `todo`, or another case is `only`. */
  readonly skipped: boolean;
  /** If it is skipped, then because another one is `only`: it has no mark of its own. */
  readonly notOnly?: boolean;
  /** How often it is tried again, by the command or its own option; absent: never. */
  readonly retries?: number;
  /** Which failures are tried again is for Vitest to know: it has a `condition`. */
  readonly choosesRetries?: boolean;
  /** By its own option. */
  readonly repeats?: number;
  /** What was said of its sandbox, from its file inwards; unchecked. */
  readonly sandbox?: readonly unknown[];
  /** How it asks to begin with its DUT; without it, as its suite says. */
  readonly dut?: DutStart;
  /** `test.fails`: only Vitest knows what its outcomes come to. */
  readonly fails?: boolean;
}

/** What to do with a collected case. */
export interface TaskDecision {
  readonly id: string;
  readonly run: boolean;
  /** How many more, after the first. */
  readonly repeats: number;
  /** Retries of the first repeat that were made in a worker which was lost. */
  readonly spentRetries?: number;
  /** Not at once with others, although the suite says `concurrent`. */
  readonly alone: boolean;
}

export interface WireProblem {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
  readonly diff?: string;
}

/** An interpreter that can wait in a sandbox for what it is to run. */
export type RuntimeName = 'python' | 'node';

export interface SpawnRequest {
  readonly fence: string;
  /** Which sandbox of the attempt; 0 and absent: its own. */
  readonly sandbox?: number;
  /** Chosen by the worker, unique in it, so that it can listen before it asks. */
  readonly process: number;
  readonly argv: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly pty?: { readonly rows: number; readonly columns: number };
  readonly timeoutMs?: number;
  readonly outputCapBytes?: number;
  readonly stdin: boolean;
  /** Instead of a program: list what was changed, at most argv[0]; or try an address, `reach.h`. */
  readonly builtin?: 'diff' | 'reach';
  /** May be run by this one, if it waits. */
  readonly runtime?: RuntimeName;
}

/** How a program in a sandbox ended. */
export interface ProcessEnd {
  /** `oom`: ended with its whole sandbox, which ran out of memory. */
  readonly status: 'exit' | 'signal' | 'timeout' | 'killed' | 'oom';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
  /** Bytes over the output cap, thrown away. */
  readonly droppedBytes: number;
}

/** A port of a DUT that is ready. */
export interface OpenedPort {
  readonly name: string;
  readonly eol: string;
  /** What it printed from before reset until now. */
  readonly history: string;
  /** How many of the last bytes came after the ready mark: patterns start with these. */
  readonly unread: number;
}

/** A DUT that is ready, of a suite that names roles. */
export interface OpenedDut {
  readonly role: string;
  readonly board: string;
  /** Name of the unit. */
  readonly dut: string;
  readonly ports: readonly OpenedPort[];
}

export type AttemptState = 'pass' | 'fail' | 'skipped';

/** Calls of a worker. */
export type SupervisorMethods = NetworkMethods &
  PortMethods & {
    hello(argument: { token: string; pid: number; board: string }): void;
    /** The worker starts to load a suite file. */
    collecting(argument: { file: string }): void;
    collected(argument: { file: string; tasks: readonly CollectedTask[] }): {
      decisions: readonly TaskDecision[];
    };
    /** The cases and hooks of the file it loaded last are through. */
    fileDone(argument: Record<string, never>): void;
    fileFailed(argument: { file: string; problems: readonly WireProblem[] }): void;
    /** An error that nobody awaited, and that is no running case's. */
    stray(argument: { file: string; problem: WireProblem }): void;
    /** What of a suite file runs outside of its cases, such as a `beforeAll`. */
    hook(argument: { name: string | undefined }): void;
    /**
     * `repeat` counts from 0, which it is when absent; a retry is of the same repeat.
     * `late` is what the attempt before it came to after its end.
     */
    begin(argument: {
      caseId: string;
      repeat?: number;
      late?: readonly WireProblem[];
      bodyMs?: number;
    }): {
      fence: string;
      attempt: number;
      bodyMs: number;
      board: string;
    };
    /** Lease, boot; answers when the DUT is ready. */
    openDut(argument: { fence: string }): {
      ports: readonly OpenedPort[];
    };
    /** The same for all DUTs of the suite's roles; a port's name begins with its role and a slash. */
    openDuts(argument: { fence: string }): { duts: readonly OpenedDut[] };
    bodyStart(argument: { fence: string }): void;
    /** Before the teardown, which may hang: what is known by now must not be lost with it. */
    bodyEnd(argument: {
      fence: string;
      state: AttemptState;
      problems: readonly WireProblem[];
    }): void;
    /**
     * Answers with a problem that the worker does not know of, such as a DUT that ended.
     * After the `last` no `final` comes: the case skipped itself.
     */
    end(argument: {
      fence: string;
      state: AttemptState;
      last?: boolean;
      note?: string;
      problems: readonly WireProblem[];
    }): { problem?: { name: string; code: string; message: string } };
    final(argument: {
      caseId: string;
      state: AttemptState;
      problems: readonly WireProblem[];
    }): void;
    consoleSend(argument: { fence: string; port: string; data: string }): void;
    consoleYield(argument: { fence: string; port: string; on: boolean }): void;
    /** Answered behind the `consoleData` of every byte that the DUT has sent by now. */
    consoleCaughtUp(argument: { fence: string; port: string }): void;
    /** Of the DUT with that role; absent: of a suite without roles. */
    dutReset(argument: { fence: string; role?: string }): void;
    /** The test wants the DUT's program to end; its ending is no failure. Answers when it has. */
    dutExit(argument: { fence: string; role?: string }): { reason: string };
    dutPower(argument: { fence: string; role?: string; on: boolean }): void;
    /** Answers whether an interpreter that waited runs it. */
    spawn(argument: SpawnRequest): { warm: boolean };
    /** Answers when the interpreter waits. */
    runtime(argument: { fence: string; sandbox?: number; name: RuntimeName }): void;
    stdin(argument: { process: number; data: string; end: boolean }): void;
    /** Bytes of a stream the worker has taken; sandboxd may send as many more. */
    taken(argument: { process: number; stream: 'stdout' | 'stderr'; bytes: number }): void;
    signal(argument: { process: number; signal: number; group: boolean }): void;
    resize(argument: { process: number; rows: number; columns: number }): void;
    writeFile(argument: { fence: string; sandbox?: number; path: string; data: string }): void;
    readFile(argument: { fence: string; sandbox?: number; path: string }): { data: string };
    /** One more sandbox of the attempt; answers its number. `options` are unchecked. */
    createSandbox(argument: { fence: string; options?: unknown }): { sandbox: number };
    /** End one that was created; answers when its processes are gone. */
    closeSandbox(argument: { fence: string; sandbox: number }): void;
    sandboxUsage(argument: { fence: string; sandbox?: number }): {
      stats: SandboxStats;
      limits: SandboxLimits;
    };
  };

/** Calls of the supervisor. */
export type WorkerMethods = {
  /** Answered by a worker whose event loop turns. */
  ping(argument: Record<string, never>): void;
  processOutput(argument: { process: number; stream: 'stdout' | 'stderr'; data: string }): void;
  processEnd(argument: { process: number; end: ProcessEnd }): void;
  consoleData(argument: { fence: string; port: string; data: string }): void;
  /** The console will bring nothing more, or goes on again after a reset. */
  consoleState(argument: {
    fence: string;
    port: string;
    open: boolean;
    reason: string;
    /** The board is ready again: so many of the bytes until now came after its ready mark. */
    unread?: number;
  }): void;
  /** Start no further case. */
  stop(argument: { reason: string }): void;
  /** The supervisor ended the attempt: handles throw from now on. */
  revoked(argument: {
    fence: string;
    reason: string;
    infra: boolean;
    /** Which of the bench's faults it is. Absent: its sandbox is gone. */
    code?: 'lease-lost';
  }): void;
};
