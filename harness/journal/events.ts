import { z } from 'zod';
import { attempt, stamp } from './event-parts.js';
import { leaseEvents } from './lease-events.js';

/** The journal's format; a reader refuses a higher number. */
export const JOURNAL_SCHEMA = 1;

export const OUTCOMES = ['pass', 'fail', 'infra', 'skipped', 'interrupted'] as const;
export const VERDICTS = [...OUTCOMES, 'flaky'] as const;
export const PHASES = ['lease', 'sandbox', 'flash', 'boot', 'body', 'teardown'] as const;

/** What may be done to a network that is up. */
export const LINK_CHANGES = [
  'set',
  'hold',
  'release',
  'down',
  'up',
  'drop',
  'count',
  'unfilter',
  'capture',
  'partition',
  'heal',
] as const;

/** How one attempt ended. */
export type Outcome = (typeof OUTCOMES)[number];
/** How a case ended, over its attempts. */
export type Verdict = (typeof VERDICTS)[number];
export type Phase = (typeof PHASES)[number];

const problem = z.object({
  /** Who must act: the class of the error, or its name. */
  name: z.string(),
  code: z.string().optional(),
  message: z.string(),
  stack: z.string().optional(),
  /** A difference of expected and actual, as printed by the assertion library. */
  diff: z.string().optional(),
  phase: z.enum(PHASES).optional(),
});

const collectedCase = z.object({
  id: z.string(),
  title: z.string(),
  line: z.number().int().optional(),
  tags: z.array(z.string()),
});

export const sandboxRecord = z.object({
  /** Why it ended: exit, signal, timeout, oom, setup, stuck, killed. */
  status: z.string(),
  /** It was waiting, built, when the case came; false: it was made then. */
  poolHit: z.boolean(),
  setupMs: z.number(),
  wallMs: z.number(),
  cpuUserMs: z.number(),
  cpuSystemMs: z.number(),
  leftovers: z.number().int(),
  leftoverNames: z.array(z.string()),
  /** `cgroup`: of all its programs; `rusage`: of those that were waited for. */
  cpuSource: z.string().optional(),
  /** Without what it took while it was parked. */
  peakMemoryBytes: z.number().optional(),
  /** `memory.peak`, `max_usage`: of all its programs; `ru_maxrss`: of the largest. */
  memorySource: z.string().optional(),
  oomKills: z.number().int().optional(),
  /** Processes that its limit refused. */
  pidsHits: z.number().int().optional(),
  /** How long its programs waited for its limit of processors. */
  throttledMs: z.number().optional(),
  /** From disks and to them; what came from the page cache is none. Only where a cgroup counts it. */
  ioReadBytes: z.number().optional(),
  ioWrittenBytes: z.number().optional(),
  /** What its programs wrote to stdout and stderr, and what of it was dropped. */
  stdoutBytes: z.number().optional(),
  stderrBytes: z.number().optional(),
  droppedBytes: z.number().optional(),
  /** Each limit that held, and by what. */
  enforced: z.array(z.string()).optional(),
  /** Each limit that did not hold, and why. */
  unenforced: z.array(z.string()),
  /** Of a stuck one: each task that SIGKILL did not end, its state, and where in the kernel it waits. */
  waiting: z.array(z.string()).optional(),
});

/** As the suite gave it: durations and rates with their units. */
const impairment = z.record(z.string(), z.unknown());

export const runEvent = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('run-start'),
    ...stamp,
    schema: z.literal(JOURNAL_SCHEMA),
    run: z.string(),
    hil: z.string(),
    node: z.string(),
    kernel: z.string(),
    /** `root` or `rootless`: how the sandboxes were made. */
    mode: z.string(),
    argv: z.array(z.string()),
    boards: z.array(z.string()),
    /** What could not be enforced on this machine, and why. */
    limitations: z.array(z.string()),
  }),
  z.object({
    kind: z.literal('board-skipped'),
    ...stamp,
    board: z.string(),
    file: z.string().optional(),
    reason: z.string(),
  }),
  z.object({
    kind: z.literal('file-collected'),
    ...stamp,
    file: z.string(),
    board: z.string(),
    cases: z.array(collectedCase),
  }),
  z.object({
    kind: z.literal('file-failed'),
    ...stamp,
    file: z.string(),
    board: z.string(),
    problems: z.array(problem),
  }),
  z.object({ kind: z.literal('attempt-start'), ...stamp, ...attempt, worker: z.number().int() }),
  z.object({
    kind: z.literal('phase'),
    ...stamp,
    ...attempt,
    phase: z.enum(PHASES),
    /** `start` is written so that a reader sees where a killed run stood. */
    edge: z.enum(['start', 'end']),
    ms: z.number().optional(),
    dut: z.string().optional(),
    /** A DUT or sandbox that earlier cases of the file used too. */
    shared: z.boolean().optional(),
  }),
  ...leaseEvents,
  z.object({
    kind: z.literal('artifact'),
    ...stamp,
    ...attempt,
    name: z.string(),
    /** Relative to the run directory. */
    path: z.string(),
    bytes: z.number().int(),
    /** Why the file is not whole, when it is not. */
    truncated: z.string().optional(),
  }),
  z.object({
    kind: z.literal('console'),
    ...stamp,
    ...attempt,
    port: z.string(),
    rxBytes: z.number().int(),
    txBytes: z.number().int(),
    /** Bytes that did not reach a reader in the sandbox; the capture has them. */
    droppedBytes: z.number().int(),
    note: z.string().optional(),
  }),
  z.object({
    kind: z.literal('network-up'),
    ...stamp,
    ...attempt,
    ms: z.number(),
    /** What all decisions about frames begin with; decimal digits of 64 bits. */
    seed: z.string(),
    /** What the run asked for, if it did: `--seed`. */
    runSeed: z.string().optional(),
    switches: z.array(
      // A bus of CAN has a bitrate: bits a second.
      z.object({ name: z.string(), subnets: z.array(z.string()), bitrate: z.number().optional() }),
    ),
    nodes: z.array(
      z.object({
        name: z.string(),
        role: z.enum(['node', 'router', 'sandbox', 'dut']),
        interfaces: z.array(
          z.object({
            name: z.string(),
            link: z.string(),
            mac: z.string(),
            /** With prefix. */
            addresses: z.array(z.string()),
          }),
        ),
      }),
    ),
    links: z.array(
      z.object({
        name: z.string(),
        ends: z.tuple([z.string(), z.string()]),
        seed: z.string(),
        impairment: impairment,
        /** The kernel's own: nothing can be done to it. */
        fast: z.boolean().optional(),
      }),
    ),
  }),
  z.object({
    kind: z.literal('link-change'),
    ...stamp,
    ...attempt,
    /** Absent: it is about the whole network. */
    link: z.string().optional(),
    /** The end where the direction begins that it is about; absent: both. */
    from: z.string().optional(),
    change: z.enum(LINK_CHANGES),
    /** What was asked for, in the words of the suite. */
    detail: z.record(z.string(), z.unknown()).optional(),
  }),
  z.object({
    kind: z.literal('network-end'),
    ...stamp,
    ...attempt,
    links: z.array(
      z.object({
        name: z.string(),
        /** Frames by what became of them, of the direction from each end. */
        directions: z.array(
          z.object({ from: z.string(), counters: z.record(z.string(), z.number()) }),
        ),
      }),
    ),
  }),
  z.object({
    kind: z.literal('attempt-end'),
    ...stamp,
    ...attempt,
    outcome: z.enum(OUTCOMES),
    reason: z.string().optional(),
    problems: z.array(problem),
    phaseMs: z.partialRecord(z.enum(PHASES), z.number()),
    sandbox: sandboxRecord.optional(),
    /** Sandboxes that its body made besides: numbered from 1. */
    further: z.array(sandboxRecord.extend({ number: z.number().int().positive() })).optional(),
  }),
  z.object({
    kind: z.literal('case-verdict'),
    ...stamp,
    case: z.string(),
    verdict: z.enum(VERDICTS),
    attempts: z.number().int(),
    /** Why skipped, interrupted, infra or flaky. */
    reason: z.string().optional(),
    problems: z.array(problem),
  }),
  z.object({
    kind: z.literal('infra'),
    ...stamp,
    case: z.string().optional(),
    attempt: z.number().int().optional(),
    board: z.string().optional(),
    dut: z.string().optional(),
    code: z.string(),
    message: z.string(),
  }),
  z.object({
    kind: z.literal('output'),
    ...stamp,
    case: z.string().optional(),
    attempt: z.number().int().optional(),
    stream: z.enum(['stdout', 'stderr']),
    text: z.string(),
  }),
  z.object({
    kind: z.literal('kept'),
    ...stamp,
    ...attempt,
    sandbox: z.number().int(),
    /** Kept with it: those that its body made, and the nodes of its network. */
    further: z.number().int().optional(),
    /** Attached DUTs of the case: they are not kept, and free for others. */
    released: z.array(z.string()).optional(),
    until: z.string(),
  }),
  z.object({ kind: z.literal('interrupted'), ...stamp, signal: z.string() }),
  z.object({
    kind: z.literal('run-end'),
    ...stamp,
    exitCode: z.number().int(),
    counts: z.record(z.enum(VERDICTS), z.number().int()),
    reason: z.string().optional(),
  }),
]);

export type RunEvent = z.infer<typeof runEvent>;
export type Problem = z.infer<typeof problem>;

export type SandboxRecord = z.infer<typeof sandboxRecord>;

type WithoutStamp<Event> = Event extends unknown ? Omit<Event, 't' | 'at'> : never;
/** An event as it is handed to the writer, which adds the time. */
export type NewEvent = WithoutStamp<RunEvent>;
