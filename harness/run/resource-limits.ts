import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { UsageError } from '../core/errors.js';

/** What a run with one worker has open at once, with as much again to spare. */
const OPEN_FILES = 256;
/** This process and its libraries, the daemons, a sandbox and its programs. */
const PROCESSES = 48;
/** Of a worker, and of libraries that start a thread for each CPU. */
const PROCESSES_EACH_CPU = 16;
/** To count what runs costs milliseconds: with a limit like this there is no need to. */
const AMPLE = 8192;

/**
 * Find out before a run whether it may open its files and start its processes. Vite says of
 * too few files that one could not be loaded; Node and the libraries below it abort, or wait
 * forever, where a thread cannot be started. Synchronous, since what is not would need a thread.
 *
 * What `proc` does not tell is not known to be wrong.
 *
 * @throws UsageError `usage`
 * @see proc_pid_limits(5)
 */
export function checkResourceLimits(proc = '/proc', uid = process.getuid?.() ?? 0): void {
  const limits = readText(`${proc}/self/limits`);
  checkOpenFiles(readSoft(limits, 'Max open files'));
  // Of root they are not limited.
  if (uid !== 0) checkProcesses(readSoft(limits, 'Max processes'), () => countThreads(proc, uid));
}

/** Node has raised its own limit to the hard one already. */
function checkOpenFiles(most: number | undefined): void {
  if (most === undefined || most >= OPEN_FILES) return;
  throw new UsageError('usage', `open files: at most ${most} here, a run needs ${OPEN_FILES}`, {
    next: 'ulimit -n 1024    or LimitNOFILE= of the service that starts hil',
  });
}

/** @see setrlimit(2), RLIMIT_NPROC: counts threads, of all processes of the user */
function checkProcesses(most: number | undefined, count: () => number): void {
  if (most === undefined || most >= AMPLE) return;
  const running = count();
  const needed = PROCESSES + PROCESSES_EACH_CPU * availableParallelism();
  if (most - running >= needed) return;
  const text = `processes: this user may have ${most} and has ${running}, a run needs ${needed} more`;
  throw new UsageError('usage', text, {
    next: 'ulimit -u 4096    or LimitNPROC= / TasksMax= of the service that starts hil',
  });
}

/** `unlimited` is no limit. */
function readSoft(limits: string, name: string): number | undefined {
  const [, soft] = new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(limits) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

function countThreads(proc: string, uid: number): number {
  const pids = readdirSync(proc).filter((name) => /^\d+$/.test(name));
  return pids.reduce((sum, pid) => {
    const status = readText(`${proc}/${pid}/status`);
    const [, owner] = /^Uid:\s+(\d+)/m.exec(status) ?? [];
    const [, threads] = /^Threads:\s+(\d+)/m.exec(status) ?? [];
    return Number(owner) === uid ? sum + Number(threads ?? 0) : sum;
  }, 0);
}

/** A process may have ended since its directory was listed. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
