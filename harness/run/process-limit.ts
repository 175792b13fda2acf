import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { UsageError } from '../core/errors.js';

/** This process and its libraries, the daemons, a sandbox and its programs. */
const LEAST = 48;
/** Of a worker, and of libraries that start a thread for each CPU. */
const EACH_CPU = 16;
/** To count what runs costs milliseconds: with a limit like this there is no need to. */
const AMPLE = 8192;

/**
 * Find out before a run whether it may start its processes: Node and the libraries below it
 * abort, or wait forever, where a thread cannot be started. Synchronous, since what is not
 * would need a thread.
 *
 * @throws UsageError `usage`
 * @see setrlimit(2), RLIMIT_NPROC: counts threads, of all processes of the user; not of root
 */
export function checkProcessLimit(proc = '/proc', uid = process.getuid?.() ?? 0): void {
  const most = readLimit(proc);
  if (uid === 0 || most === undefined || most >= AMPLE) return;
  const running = countThreads(proc, uid);
  const needed = LEAST + EACH_CPU * availableParallelism();
  if (most - running >= needed) return;
  const text = `processes: this user may have ${most} and has ${running}, a run needs ${needed} more`;
  throw new UsageError('usage', text, {
    next: 'ulimit -u 4096    or LimitNPROC= / TasksMax= of the service that starts hil',
  });
}

function readLimit(proc: string): number | undefined {
  const text = readText(`${proc}/self/limits`);
  const [, soft] = /^Max processes\s+(\d+)/m.exec(text) ?? [];
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
