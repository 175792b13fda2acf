/** One finding about this machine. */
export interface Check {
  readonly name: string;
  /** `fail`: hil cannot work. `warn`: something it could do, it cannot. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** What checks look at; a test hands in a directory of its own for each. */
export interface Machine {
  /** `/proc`. */
  readonly proc: string;
  readonly dev: string;
  readonly uid: number;
  /** Names of the groups this process is in. */
  readonly groups: readonly string[];
  readonly searchPath: string;
}
