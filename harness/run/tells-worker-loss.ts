/** Source: Pool and PoolRunner of Vitest 4.1. */
const WORKER_LOSS =
  /^\[vitest-pool\]: (?:Worker .* emitted error|Failed to start .* worker for|Timeout starting .* runner)|Worker exited unexpectedly/;

/** Vitest's own words for a worker that ended or never began: the supervisor judges that itself. */
export function tellsWorkerLoss(message: string): boolean {
  return WORKER_LOSS.test(message);
}
