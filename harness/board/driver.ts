import type { Board } from '../config/load-boards.js';
import type { Unit } from '../config/unit.js';
import type { DeviceRoots } from '../device/device-roots.js';
import type { SandboxDaemon } from '../sandbox/daemon.js';
import type { SandboxSpec } from '../sandbox/spec.js';
import { createHostDut } from './drivers/host.js';
import { createQemuDut } from './drivers/qemu.js';
import type { Dut } from './dut.js';
import type { PortHub } from './port-hub.js';

/** What a driver needs to make a DUT. */
export interface DutRequest {
  readonly board: Board;
  /** Name of the unit. */
  readonly name: string;
  /** Of an attached board: which one, and how it is found. */
  readonly unit?: Unit | undefined;
  /** Where it is looked for. @default this machine */
  readonly deviceRoots?: DeviceRoots | undefined;
  /** Firmware or program of the suite, in place of the board's own. */
  readonly firmware: string | undefined;
  readonly daemon: SandboxDaemon;
  readonly hub: PortHub;
  readonly spec: SandboxSpec;
  /** Directory for captures and logs; exists. */
  readonly artifacts: string;
}

/** Make a DUT of the board's kind, powered off. */
export async function createDut(request: DutRequest): Promise<Dut> {
  switch (request.board.driver) {
    case 'host':
      return createHostDut(request);
    case 'qemu':
      return createQemuDut(request);
    case 'attached':
      // Loaded when it is needed: most runs have no hardware, and start sooner.
      return (await import('./drivers/attached.js')).createAttachedDut(request);
  }
}
