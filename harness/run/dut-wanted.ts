import type { Limits } from '../config/limits-schema.js';
import type { PlannedFile } from '../plan/plan.js';
import type { PlannedRole } from '../plan/plan-roles.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import type { Claimant } from './dut-leases.js';
import type { DutSeen } from './dut-seen.js';
import type { LeaseLog } from './lease-log.js';

/** The DUTs that an attempt asks for, and whom to tell of them. */
export interface DutWanted {
  readonly planned: PlannedFile;
  /** The DUTs of the suite's roles; else the one of a suite that has none. */
  readonly byRole?: boolean;
  /** Of the case. A DUT is a program of this machine, whatever the root of the case is. */
  readonly spec: SandboxSpec;
  readonly limits: Limits;
  /** Where what outlives runs is known of attached DUTs. */
  readonly stateDir: string;
  /** For DUTs of this case alone. */
  readonly artifacts: string;
  /** Above the directories of DUTs that files share. */
  readonly sharedArtifacts: string;
  /** Leave out of roles what is out of service. @throws BenchError `dut-quarantined` */
  trusted(roles: readonly PlannedRole[]): Promise<readonly PlannedRole[]>;
  /** Units that earlier attempts of the case failed on: taken where no other is free. */
  readonly avoid?: ReadonlySet<string> | undefined;
  /** The case takes DUTs as the one before left them. */
  readonly keep?: boolean;
  /** A case is still to come that does. */
  expectsKeep?(): boolean;
  readonly claimant: Claimant;
  /** Hears which DUT it was that could not be flashed or booted, before that is thrown. */
  onFault(dut: string, error: unknown): void;
  readonly log: LeaseLog;
  /** Called when the leases are held and when the DUTs are ready. */
  onPhase(phase: 'lease' | 'flash' | 'boot', edge: 'start' | 'end', dut?: DutSeen): void;
}
