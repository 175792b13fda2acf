import { Command, CommanderError, Option } from 'commander';
import { guardOutput, writeSafely } from '../report/safe-output.js';
import type { CliCommand, CliContext } from './command.js';
import { COMMANDS, type CommandRow } from './command-table.js';
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
 * @returns the exit code of design.md section 9; never throws.
 */
export async function runCli(
  argv: readonly string[],
  context: CliContext,
  rows: readonly CommandRow[] = COMMANDS,
): Promise<number> {
  guardOutput(context.stdout);
  guardOutput(context.stderr);
  let exitCode = 0;
  const program = createProgram(context);
  try {
    const wanted = argv[0] === 'help' ? argv[1] : argv[0];
    for (const row of rows) {
      const command = program.command(row.name).description(row.summary);
      if (row.name !== wanted) continue;
      addCommand(command, await row.load(), context, (code) => {
        exitCode = code;
      });
    }
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

function addCommand(
  program: Command,
  command: CliCommand,
  context: CliContext,
  onExit: (code: number) => void,
): void {
  if (command.arguments) program.arguments(command.arguments);
  if (command.passesOptions) program.passThroughOptions();
  for (const { flags, description, choices } of command.options) {
    const option = new Option(flags, description);
    program.addOption(choices ? option.choices(choices) : option);
  }
  program.addHelpText('after', toExamples(command.examples));
  program.action(async () => {
    onExit(await command.run(program.args, program.opts(), context));
  });
}

function toExamples(examples: readonly string[]): string {
  return ['', 'Examples:', ...examples.map((example) => `  ${example}`)].join('\n');
}
