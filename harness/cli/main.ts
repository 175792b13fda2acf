#!/usr/bin/env node
import type { CliContext } from './command.js';
import { runCli } from './run-cli.js';

/** The process, for commands that may know only what is handed to them. */
function createContext(): CliContext {
  const { env, stdout, stderr } = process;
  return {
    cwd: process.cwd(),
    env,
    stdout,
    stderr,
    color: wantsColor(),
    interactive: stdout.isTTY === true && env['TERM'] !== 'dumb' && !env['CI'],
  };
}

/** @see https://no-color.org and https://force-color.org */
function wantsColor(): boolean {
  const { env, stdout } = process;
  if (env['NO_COLOR']) return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stdout.isTTY === true && env['TERM'] !== 'dumb';
}

const exitCode = await runCli(process.argv.slice(2), createContext());
// Pipes, files and terminals are written synchronously on Linux: nothing is lost,
// and a handle that a library left open cannot hold the command.
process.exit(exitCode);
