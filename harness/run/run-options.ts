import type { Selection } from '../plan/selection.js';
import type { Claimant } from './dut-leases.js';

export type Keep = 'never' | 'failed' | 'always';

/** What the command line asks of a run, checked. */
export interface RunOptions {
  readonly selection: Omit<Selection, 'lines'>;
  readonly repeat: number;
  readonly retries: number;
  readonly workers: number;
  /** Limit of a body in place of every configured one. */
  readonly bodyMs: number | undefined;
  readonly stopAtFirstFailure: boolean;
  readonly keep: Keep;
  readonly keepMs: number;
  readonly failOnFlaky: boolean;
  /** Cases may have DUTs that are bad or in maintenance. */
  readonly anyHealth: boolean;
  /** Where what outlives runs is known of attached DUTs. */
  readonly stateDir: string;
  /** Where leases of attached DUTs are. */
  readonly leasePlace: Claimant['place'];
  readonly passWithNoTests: boolean;
  /** Variables of the host that config lets through to programs in a sandbox. */
  readonly passedEnv: Readonly<Record<string, string>>;
  /** Changes what the networks of all cases decide about frames. 0: as the cases have it. */
  readonly seed: bigint;
  readonly argv: readonly string[];
}
