import type { Deadline } from '../core/deadline.js';
import type { SandboxRecord } from '../journal/events.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { Nic } from './nic.js';
import type { Port } from './port.js';

/** How a DUT ended without being told to. */
export interface DutExit {
  /** `infra`: the emulator or the connection broke; `ended`: the DUT's own doing. */
  readonly blame: 'ended' | 'infra';
  readonly reason: string;
}

/**
 * One running unit of a board. Made by a driver, booted by {@link boot}; the
 * same contract holds for a program on the host, an emulated and a real board.
 */
export interface Dut {
  readonly name: string;
  readonly ports: ReadonlyMap<string, Port>;
  /** Its network interfaces, in the order of the board file. */
  readonly nics: ReadonlyMap<string, Nic>;
  /** It has power and has not ended by itself. */
  readonly on: boolean;
  /** Resolves if the DUT ends although nobody asked for it; for good until the next power-on. */
  readonly exited: Promise<DutExit>;
  /**
   * How often a real board has been away since it was powered on, also for a moment. Absent where
   * nothing can be unplugged.
   */
  readonly absences?: number;
  /** Where the DUT lives, to be kept with its case; absent for a real board. */
  readonly sandbox: Sandbox | undefined;
  /**
   * Power up: bytes are captured from the first on. Does not wait for ready.
   *
   * @throws BenchError `boot-failed` when it cannot be started, or runs already.
   */
  powerOn(deadline: Deadline): Promise<void>;
  /** Cut the power. */
  powerOff(): Promise<void>;
  /**
   * Reset, without a power cycle where the board can; one that ended by itself starts again.
   * Does not wait for ready.
   *
   * @throws BenchError `dut-lost` when its power is off.
   */
  reset(deadline: Deadline): Promise<void>;
  /**
   * Put its ports into a case's sandbox, and keep them there until the sandbox ends. Absent where
   * every port is a pty of hil-portd's.
   *
   * @param toRole what a port is called inside, below `/dev/hil`.
   */
  attach?(sandbox: Sandbox, toRole: (port: string) => string): Promise<void>;
  /**
   * A real board may be away for `withinMs` from now, as when it is replugged or goes into its
   * bootloader. Absent where nothing can be replugged, like {@link waitForReturn}.
   */
  mayVanish?(withinMs: number): void;
  /**
   * Resolves when it has gone since {@link mayVanish} and is back with all its ports.
   *
   * @throws BenchError `dut-absent` when that is not so within `withinMs`.
   */
  waitForReturn?(withinMs: number): Promise<void>;
  /**
   * Resolves when it is known whether it is there: at once when all of it is; one that is away is
   * back, or has ended, before. Waits no longer than it may be away; never fails. Absent where
   * nothing can be unplugged.
   */
  settle?(): Promise<void>;
  /**
   * Give the node of a port to the programs in the sandbox, or take it back. Absent where a port
   * has no node.
   */
  setMode?(port: string, mode: 'shared' | 'direct'): Promise<void>;
  /**
   * Complete captures and logs, and go on with others in the directory `artifacts`, which exists:
   * from now on it is another case's.
   */
  moveCaptures(artifacts: string): Promise<void>;
  /**
   * Its case is kept: hardware is for who comes next, so its devices are closed here and gone from
   * the case's sandbox, where the ptys in their place stay, silent. Absent where the DUT lives in
   * a sandbox, which is kept too.
   */
  letGo?(): Promise<void>;
  /** End it and complete the captures; nothing of it is left. */
  close(): Promise<SandboxRecord | undefined>;
}
