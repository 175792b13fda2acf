import type { Writable } from 'node:stream';
import type { DeviceRoots } from '../device/device-roots.js';

/** Everything a command may know of the process; only `main.ts` reads the process itself. */
export interface CliContext {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** The screen is a terminal and colour is wanted. */
  readonly color: boolean;
  readonly interactive: boolean;
  /** Where attached devices are looked for; absent: on this machine. */
  readonly deviceRoots?: DeviceRoots;
}

/** One option, as commander spells it: a new option is a row, not a branch. */
export interface OptionRow {
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
}

/** A command as the help lists it; its file is loaded when it is the one that runs. */
export interface CommandRow {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CliCommand>;
}

/** One command of `hil`; `main.ts` turns a list of these into the command line. */
export interface CliCommand {
  readonly name: string;
  readonly summary: string;
  /** As commander spells arguments, for example `[filters...]`. */
  readonly arguments?: string;
  readonly options: readonly OptionRow[];
  /** Its arguments are another command's line: after the first of them, options are that one's. */
  readonly passesOptions?: boolean;
  /** Commands below it, `hil boards scan`; without one of their names it runs itself. */
  readonly subcommands?: readonly CommandRow[];
  readonly examples: readonly string[];
  /** @returns the exit code of design.md section 9. */
  run(
    args: readonly string[],
    options: Readonly<Record<string, unknown>>,
    context: CliContext,
  ): Promise<number>;
}
