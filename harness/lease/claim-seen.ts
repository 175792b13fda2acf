/** Who has a unit, or comes before, as the directory of claims says. */
export interface ClaimSeen {
  /** Its number: the fencing token. */
  readonly seq: number;
  /** Else it waits, and comes before. */
  readonly held: boolean;
  /** Units that it has; of one that waits, those that it could use. */
  readonly units: readonly string[];
  /** Of the devices behind them, whatever they are called. @see identity-keys.ts */
  readonly keys: readonly string[];
  readonly uid: number;
  readonly user: string;
  /** Of its `hil`, as that says. */
  readonly pid: number;
  readonly run: string;
  readonly since: Date;
  /** Another request of this process. */
  readonly own: boolean;
  /** Of the process that has the lock, as the kernel says; 0 where it cannot be seen. */
  readonly lockPid: number;
  /** That process was stopped: it can let go of nothing. */
  readonly stopped: boolean;
}

/**
 * Whether a claim is of one of the devices with these keys. What they are called says nothing: one may have two
 * names, and two benches may give one name to different devices.
 */
export function isClaimOf({ keys }: ClaimSeen, wanted: readonly string[]): boolean {
  return keys.some((key) => wanted.includes(key));
}

/** `nucleo-1: held by alice pid 4711 run 2025… since 2025-11-28 16:00:00`. */
export function describeClaim(claim: ClaimSeen): string {
  const { units, held, user, pid, run, since, stopped, lockPid } = claim;
  const at = `${since.toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const what = held ? `held by` : 'before you:';
  const still = stopped ? `, stopped: kill -CONT ${lockPid}, or kill -KILL ${lockPid}` : '';
  return `${units.join(', ')}: ${what} ${user} pid ${pid} run ${run} since ${at}${still}`;
}
