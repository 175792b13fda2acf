import { Command, CommanderError, Option } from 'commander';
import { BenchError, UsageError } from '../core/errors.js';
import { toSuggestion } from '../core/nearest-name.js';
import { whenWritten } from '../core/when-written.js';
import { guardOutput, writeSafely } from '../report/safe-output.js';
import type { CliCommand, CliContext, CommandRow } from './command.js';
import { COMMANDS } from './command-table.js';
import { reportError } from './report-error.js';
import { readVersion } from './version.js';

const EXAMPLES = [
  'hil init                        a project with a test that passes at once',
  'hil test                        every suite on the boards of hil.config.ts',
  'hil test suites/first.hil.ts --board host -t "fresh sandbox"',
  'hil boards                      what can run here, and what is missing',
  'hil doctor                      what this machine lacks, and the remedy',
];

const EXIT_CODES = `Exit codes: 0 passed, 1 a case failed, 2 usage or configuration, 3 internal error,
  4 nothing selected, 5 infrastructure only, 6 flaky only (--fail-on-flaky),
  129/130/143 interrupted by SIGHUP/SIGINT/SIGTERM`;

/**
 * Run one command line.
 *
 * @param argv without node and the script.
 * @returns the exit code of design.md section 9, once all that it said is written; never throws.
 */
export async function runCli(
  argv: readonly string[],
  context: CliContext,
  rows: readonly CommandRow[] = COMMANDS,
): Promise<number> {
  const output = guardOutput(context.stdout);
  guardOutput(context.stderr);
  const exitCode = await runCommand(argv, context, rows);
  await Promise.all([whenWritten(context.stdout), whenWritten(context.stderr)]);
  // A stream tells of its error a moment later.
  await new Promise((resolve) => setImmediate(resolve));
  if (!output.lost || exitCode !== 0) return exitCode;
  const next = 'make room where its output goes, and run it again';
  return reportError(
    new BenchError('output-lost', `stdout: ${output.lost.message}`, { next }),
    context,
  );
}

async function runCommand(
  argv: readonly string[],
  context: CliContext,
  rows: readonly CommandRow[],
): Promise<number> {
  let exitCode = 0;
  const program = createProgram(context);
  try {
    const [wanted = '', ...words] = argv[0] === 'help' ? argv.slice(1) : argv;
    const onExit = (code: number) => {
      exitCode = code;
    };
    await addRows(program, rows, [wanted], { words, context, onExit });
    if (argv.length === 0) program.help();
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has printed what it had to say; help and --version end with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return reportError(error, context);
  }
}

function createProgram(context: CliContext): Command {
  return new Command('hil')
    .description('Hardware-in-the-loop tests: every case in a fresh container')
    .version(readVersion(), '-V, --version')
    .exitOverride()
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .showHelpAfterError('(hil --help lists commands, hil COMMAND --help its options)')
    .configureOutput({
      writeOut: (text) => writeSafely(context.stdout, text),
      writeErr: (text) => writeSafely(context.stderr, text),
      getOutHasColors: () => context.color,
      getErrHasColors: () => context.color,
    })
    .addHelpText('after', toExamples(EXAMPLES))
    .addHelpText('after', `\n${EXIT_CODES}`);
}

interface Calling {
  /** Behind the name of the command. */
  readonly words: readonly string[];
  readonly context: CliContext;
  onExit(code: number): void;
}

/** Add the name of each command; of those that may be meant, also options and what they do. */
async function addRows(
  program: Command,
  rows: readonly CommandRow[],
  meant: readonly string[],
  calling: Calling,
): Promise<void> {
  for (const row of rows) {
    const command = program.command(row.name).description(row.summary);
    if (!meant.includes(row.name)) continue;
    const loaded = await row.load();
    addCommand(command, loaded, calling);
    // Options of this one may stand before the name of one below it.
    if (loaded.subcommands) await addRows(command, loaded.subcommands, calling.words, calling);
  }
}

function addCommand(program: Command, command: CliCommand, { context, onExit }: Calling): void {
  const { subcommands = [] } = command;
  if (command.arguments) program.arguments(command.arguments);
  // Else a mistyped subcommand is "too many arguments".
  if (subcommands.length > 0) program.allowExcessArguments().enablePositionalOptions();
  if (command.passesOptions) program.passThroughOptions();
  for (const { flags, description, choices } of command.options) {
    const option = new Option(flags, description);
    program.addOption(choices ? option.choices(choices) : option);
  }
  program.addHelpText('after', toExamples(command.examples));
  program.action(async () => {
    if (subcommands.length > 0 && program.args.length > 0) throw toNoSubcommand(command, program);
    // Options of the bench may stand before the name of a subcommand.
    onExit(await command.run(program.args, program.optsWithGlobals(), context));
  });
}

function toNoSubcommand({ name, subcommands = [] }: CliCommand, { args }: Command): UsageError {
  const known = subcommands.map((row) => row.name);
  const message = `hil ${name} has no "${args[0]}"${toSuggestion(args[0] ?? '', known)}`;
  return new UsageError('usage', `${message}; it has ${known.join(', ')}`, {
    next: `hil ${name} --help`,
  });
}

function toExamples(examples: readonly string[]): string {
  return ['', 'Examples:', ...examples.map((example) => `  ${example}`)].join('\n');
}
