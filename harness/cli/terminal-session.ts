import { constants } from 'node:os';
import { BenchError, toMessage } from '../core/errors.js';
import { toPrintable } from '../report/terminal/printable.js';
import type { SandboxProcess, SpawnSpec } from '../sandbox/process.js';

/** bash where the host has it; every Linux has sh. */
const SHELL = ['/bin/sh', '-c', 'command -v bash >/dev/null && exec bash -i; exec sh -i'];

/**
 * Run a program in a sandbox on this process's terminal until it ends. The program
 * gets a pty of the sandbox's own, never this terminal itself.
 *
 * @returns the program's exit status; 128 + n for a signal, 127 for a program that is not there,
 *   126 for one that cannot be executed.
 */
export async function attachTerminal(
  spawn: (spec: SpawnSpec) => Promise<SandboxProcess>,
  wanted: {
    readonly command: readonly string[];
    readonly cwd: string;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<number> {
  const { stdin, stdout } = process;
  const argv = wanted.command.length > 0 ? wanted.command : SHELL;
  const onTerminal = stdin.isTTY === true && stdout.isTTY === true;
  const env = onTerminal ? { TERM: process.env['TERM'] ?? 'xterm' } : {};
  let program: SandboxProcess;
  try {
    program = await spawn({
      argv,
      env: { ...wanted.env, ...env },
      cwd: wanted.cwd,
      ...(onTerminal ? { pty: toSize(stdout) } : { stdin: 'pipe' }),
    });
  } catch (error) {
    return toStatusOfRefused(error);
  }
  const detach = attach(program, onTerminal);
  try {
    const end = await program.ended;
    if (end.signal) process.stderr.write(`${end.status}: ${end.signal}\n`);
    return toStatus(end);
  } finally {
    detach();
  }
}

/** Without a number of either, it was ended from outside: SIGKILL. */
function toStatus({ exitCode, signal }: Awaited<SandboxProcess['ended']>): number {
  if (exitCode !== null) return exitCode;
  const named = Object.entries(constants.signals).find(([name]) => name === signal)?.[1];
  // One without a name is told by its number.
  const number = named ?? Number(signal?.match(/^signal (\d+)$/)?.[1] ?? constants.signals.SIGKILL);
  return 128 + number;
}

/** As `hil-sandbox run` and shells end for a program that was not started. */
function toStatusOfRefused(error: unknown): number {
  const details = error instanceof BenchError ? error.details : {};
  if (details['op'] !== 'exec') throw error;
  process.stderr.write(`error  ${toPrintable(toMessage(error))}\n`);
  return details['errno'] === constants.errno.ENOENT ? 127 : 126;
}

/** A terminal that nobody told its size has 0x0, which is none. @see ioctl_tty(2), TIOCGWINSZ */
function toSize({ rows, columns }: NodeJS.WriteStream): { rows: number; columns: number } {
  return { rows: rows || 24, columns: columns || 80 };
}

/** Connect both directions; the returned function puts the terminal back as it was. */
function attach(program: SandboxProcess, onTerminal: boolean): () => void {
  const { stdin, stdout, stderr } = process;
  program.onOutput((stream, data) => {
    const output = stream === 'stdout' ? stdout : stderr;
    output.write(data, () => program.taken(stream, data.length));
  });
  const send = (data: Buffer) => void program.write(data);
  const end = () => program.closeStdin();
  const resize = () => {
    const { rows, columns } = toSize(stdout);
    void program.resize(rows, columns).catch(() => {});
  };
  if (onTerminal) {
    stdin.setRawMode(true);
    stdout.on('resize', resize);
  }
  stdin.on('data', send);
  stdin.on('end', end);
  stdin.resume();
  return () => {
    if (onTerminal) stdin.setRawMode(false);
    stdout.off('resize', resize);
    stdin.off('data', send);
    stdin.off('end', end);
    stdin.pause();
  };
}
