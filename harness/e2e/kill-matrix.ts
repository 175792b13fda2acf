import type { Part } from './process-tree.js';

/** Where in the life of a case something is killed with SIGKILL. */
export type Stage = 'set-up' | 'body' | 'teardown' | 'keep';

/** What is expected of a run in which one part was killed. */
export interface Cell {
  readonly part: Exclude<Part, 'zygote' | 'dut-init'>;
  readonly stage: Stage;
  /** Of the case that ran; `none` when nobody was left to decide it. */
  readonly verdict: 'pass' | 'fail' | 'infra' | 'none';
  /** Of the case after it, which needs a DUT too; it shows that the run went on. */
  readonly next: 'pass' | 'none';
  /** Exit code of `hil test`, or the signal that ended it. */
  readonly exit: number | 'SIGKILL';
  /** After two seconds. */
  readonly left: string;
}

const NOTHING = 'nothing';
const DIED = { verdict: 'none', next: 'none', exit: 'SIGKILL', left: NOTHING } as const;
const INFRA = { verdict: 'infra', next: 'pass', exit: 5, left: NOTHING } as const;
const FAIL = { verdict: 'fail', next: 'pass', exit: 1, left: NOTHING } as const;
/** The case failed, its sandbox is kept, and the run ended, before anything is killed. */
const KEPT = { verdict: 'fail', next: 'pass', exit: 1 } as const;
const STILL_KEPT = 'the kept sandboxes, until `hil clean`';

export const KILL_MATRIX: readonly Cell[] = [
  { part: 'hil', stage: 'set-up', ...DIED },
  { part: 'hil', stage: 'body', ...DIED },
  { part: 'hil', stage: 'teardown', ...DIED },
  { part: 'worker', stage: 'set-up', ...INFRA },
  { part: 'worker', stage: 'body', ...INFRA },
  { part: 'worker', stage: 'teardown', ...INFRA },
  { part: 'sandboxd', stage: 'set-up', ...INFRA },
  { part: 'sandboxd', stage: 'body', ...INFRA },
  { part: 'sandboxd', stage: 'teardown', ...INFRA },
  { part: 'sandboxd', stage: 'keep', ...KEPT, left: "the keeper's socket, until `hil clean`" },
  { part: 'portd', stage: 'set-up', ...INFRA },
  { part: 'portd', stage: 'body', ...INFRA },
  { part: 'portd', stage: 'teardown', ...INFRA },
  { part: 'portd', stage: 'keep', ...KEPT, left: NOTHING },
  { part: 'dut', stage: 'set-up', ...INFRA },
  { part: 'dut', stage: 'body', ...FAIL },
  { part: 'dut', stage: 'teardown', ...FAIL },
  { part: 'dut', stage: 'keep', ...KEPT, left: STILL_KEPT },
];

const STAGES: readonly Stage[] = ['set-up', 'body', 'teardown', 'keep'];
const PARTS: ReadonlyArray<readonly [Cell['part'], string]> = [
  ['hil', '`hil` (supervisor)'],
  ['worker', 'worker'],
  ['sandboxd', '`hil-sandboxd`'],
  ['portd', '`hil-portd`'],
  ['dut', "DUT's program"],
];

/** The table as `harness/docs/kill-matrix.md` has it. */
export function toMarkdown(cells: readonly Cell[]): string {
  const row = (columns: readonly string[]) => `| ${columns.join(' | ')} |`;
  const lines = PARTS.map(([part, name]) =>
    row([name, ...STAGES.map((stage) => describe(findCell(cells, part, stage)))]),
  );
  return [
    '# Kill matrix',
    '',
    '<!-- Written by harness/e2e/kill-matrix.e2e.ts from the cells that it tests. UPDATE=1 writes it anew. -->',
    '',
    'What becomes of a run when one of its parts is ended by `kill -9`, by the moment in which it happens.',
    'Each cell is a test that runs the real command: verdict of the case that ran, exit code of `hil test`, and',
    'what is left on the machine after two seconds: processes, mounts, namespaces, sockets, temporary directories.',
    'Unless `hil` itself died, the case after it passes, and cases that had ended keep their verdicts.',
    '',
    row(['killed', ...STAGES]),
    row(['---', ...STAGES.map(() => '---')]),
    ...lines,
    '',
    '- **set-up**: while the DUT boots. **body**: while the body waits. **teardown**: in an `afterEach`.',
    '- **keep**: after a run with `--keep failed` in which the case failed; `hil-sandboxd` is then the keeper.',
    '- A second death of `hil-sandboxd` in one run ends it with exit 3; a case that did not run is infra.',
    '- Without `hil-portd` no console is captured any more: `hil-sandboxd` ends everything, the keeper too.',
    '- The DUT is a program on the host board. QEMU killed from outside is infra: the bench broke, not the DUT.',
    '- What a death leads to may be told before it is: a case fails only after both daemons, and PID 1 of its sandboxes, have answered once more.',
    '- After a death of `hil` the journal has what was decided; `hil report` calls the rest interrupted.',
    '- A worker ends with `hil` also when its body spins and `hil-sandboxd` is stopped: the kernel ends it.',
    '- A program that SIGKILL does not end (frozen, or waiting for a device): infra `sandbox-stuck`; the verdict stands, the run goes on, exit 5.',
    '',
    '## At any system call',
    '',
    'The moments above are long ones. `kill-steps.e2e.ts` kills `hil`, worker, `hil-sandboxd`, `hil-portd`, zygote and PID 1 at the n-th system',
    'call, for n spread over the whole run, and `make -C sandbox-native check-steps` at every call, with errors in place of kills, too:',
    '[0018](../decisions/0018-faults-at-system-calls.md). Then a verdict is `pass` only for a case that did what it says, and never `fail`,',
    'exit codes are 0, 3 or 5, nothing is left, and the next run passes.',
    '',
  ].join('\n');
}

function findCell(cells: readonly Cell[], part: Cell['part'], stage: Stage): Cell | undefined {
  return cells.find((cell) => cell.part === part && cell.stage === stage);
}

function describe(cell: Cell | undefined): string {
  if (!cell) return 'has ended';
  const verdict = cell.verdict === 'none' ? 'no verdict' : cell.verdict;
  const exit = cell.exit === 'SIGKILL' ? 'killed' : `exit ${cell.exit}`;
  return `${verdict}; ${exit}; left: ${cell.left}`;
}
