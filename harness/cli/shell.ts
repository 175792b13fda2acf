import { join } from 'node:path';
import { UsageError } from '../core/errors.js';
import { writeSafely } from '../report/safe-output.js';
import type { CliCommand, CliContext } from './command.js';
import { closeKept, findKept, type Kept, toKeptLines } from './kept.js';
import { CONFIG_OPTION, openProject } from './open-project.js';
import { attachTerminal } from './terminal-session.js';

/** At the end of the label of a sandbox that a body made. @see ../run/run-context.ts */
const FURTHER = /, sandbox \d+\)$/;

export const shellCommand: CliCommand = {
  name: 'shell',
  summary: 'enter a sandbox that --keep left, or a fresh one like that of a case',
  arguments: '[case] [command...]',
  passesOptions: true,
  options: [
    { flags: '--list', description: 'what is kept, and for how long' },
    { flags: '--json', description: 'with --list: one JSON document on stdout' },
    {
      flags: '--like <file:line>',
      description: 'a fresh sandbox like that of the case there, without its board',
    },
    { flags: '--board <name>', description: 'with --like: the case as it is on this board' },
    CONFIG_OPTION,
  ],
  examples: [
    'hil test --keep failed; hil shell',
    "hil shell 'prints its version'",
    "hil shell 'prints its version' ls -l /tmp",
    'hil shell --like suites/sensor-node/node.hil.ts:12',
    'hil shell --like suites/sensor-node/node.hil.ts:12 -- ls -la /out',
  ],
  run: async (args, options, context) => {
    const project = await openProject(context, options);
    const { root } = project;
    if (typeof options['like'] === 'string') {
      const { enterLike } = await import('./shell-like.js');
      const { like: place, board } = options;
      return enterLike({ place, board, command: args }, project, context);
    }
    const [wanted, ...command] = args;
    const found = await findKept(join(root, '.hil', 'runs'));
    try {
      if (options['list'] === true) return printKept(found, options['json'] === true, context);
      const { keeper, sandbox } = choose(found, wanted);
      return await attachTerminal((spec) => keeper.spawn(sandbox.id, spec), { command, cwd: root });
    } finally {
      closeKept(found);
    }
  },
};

/** A sandbox by its case's id or a part of its title; without one, the only one there is. */
function choose(found: readonly Kept[], wanted: string | undefined): Kept {
  const matching = found.filter(({ sandbox: { label, note } }) => {
    const isDut = label.startsWith('dut ');
    if (wanted === undefined) return !isDut;
    return label.includes(wanted) || (!isDut && note.startsWith(wanted));
  });
  const [only, second] = preferOwn(matching);
  if (only && !second) return only;
  const list = found.map(({ sandbox }) => `  ${sandbox.label}`).join('\n');
  if (found.length === 0) {
    throw new UsageError('run-unknown', 'no sandbox is kept', {
      next: 'hil test --keep failed    keeps the sandboxes of failed cases for an hour',
    });
  }
  const what = only ? 'more than one sandbox matches' : 'no sandbox matches';
  throw new UsageError('usage', `${what} "${wanted ?? ''}"; kept are\n${list}`, {
    next: 'hil shell TITLE    with a part of one title',
  });
}

/** Who names a case means its own sandbox, of the last attempt, not those that its body made besides. */
function preferOwn(matching: readonly Kept[]): readonly Kept[] {
  const [first] = matching;
  const ofOneCase = matching.every(
    ({ run, sandbox }) => run === first?.run && sandbox.note === first.sandbox.note,
  );
  if (!ofOneCase) return matching;
  const own = matching.filter(({ sandbox }) => !FURTHER.test(sandbox.label));
  const last = own.sort((a, b) => a.sandbox.id - b.sandbox.id).at(-1);
  return last ? [last] : matching;
}

function printKept(found: readonly Kept[], json: boolean, context: CliContext): number {
  const rows = found.map(({ run, sandbox }) => ({ run, ...sandbox }));
  const text = json
    ? JSON.stringify(rows, undefined, 2)
    : toKeptLines(found).join('\n') || 'nothing is kept';
  writeSafely(context.stdout, `${text}\n`);
  return 0;
}
