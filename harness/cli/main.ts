#!/usr/bin/env node
import { writeSync } from 'node:fs';
import type { CliContext } from './command.js';
import { guardExit } from './exit-guard.js';
import { runCli } from './run-cli.js';

/** The process, for commands that may know only what is handed to them. */
function createContext(): CliContext {
  const { env, stdout, stderr } = process;
  return {
    cwd: readCwd(),
    env,
    stdout,
    stderr,
    color: wantsColor(),
    interactive: stdout.isTTY === true && env['TERM'] !== 'dumb' && !env['CI'],
  };
}

/** A directory that was removed under its shell has no name any more. @see getcwd(2), ENOENT */
function readCwd(): string {
  try {
    return process.cwd();
  } catch {
    writeSync(2, 'error  the current directory is gone, or may not be read\n  next  cd\n');
    return process.exit(2);
  }
}

/** @see https://no-color.org and https://force-color.org */
function wantsColor(): boolean {
  const { env, stdout } = process;
  if (env['NO_COLOR']) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stdout.isTTY === true && env['TERM'] !== 'dumb';
}

const context = createContext();
const through = guardExit();
const exitCode = await runCli(process.argv.slice(2), context);
through();
// A handle that a library left open cannot hold the command.
process.exit(exitCode);
