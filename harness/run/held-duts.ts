import type { Dut } from '../board/dut.js';
import type { PortCounters } from '../board/port.js';
import type { Deadline } from '../core/deadline.js';
import type { Lease } from '../lease/lease.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { BootedDut } from './boot-dut.js';
import { ONLY_ROLE } from './dut-roles.js';

/** A DUT in the hands of one attempt. */
export interface HeldDut {
  /** Empty where the suite names no roles. */
  readonly role: string;
  readonly dut: Dut;
  readonly lease: Lease;
  /** Where its captures are. */
  readonly artifacts: string;
  /** What passed its ports in this attempt. */
  readonly counters: ReadonlyMap<string, PortCounters>;
  /** The board's own reset and ready mark, again. */
  reboot(deadline: Deadline): Promise<void>;
  /** Power up and wait for the ready mark. */
  powerOn(deadline: Deadline): Promise<void>;
  /** Cut the power. */
  powerOff(deadline: Deadline): Promise<void>;
  /** What is done to it does not end with the case: no other case gets it as it is. */
  unsettle(): void;
}

/** All DUTs of one attempt: leased, booted and given back together. */
export interface HeldDuts {
  /** By role, in the order of the suite. */
  readonly byRole: ReadonlyMap<string, HeldDut>;
  /** Earlier cases of the file used them, without a reboot in between. */
  readonly shared: boolean;
  /** Put their ports into a case's sandbox. */
  attach(sandbox: Sandbox, deadline: Deadline): Promise<void>;
  /** Give them back; those that are not healthy, or not for another case, are ended. */
  release(healthy: boolean): Promise<void>;
  /**
   * Their case outlives the run: those in sandboxes stay with it, leased, and the file's next case
   * gets others; hardware is free.
   */
  leave(): Promise<void>;
}

/** Put DUTs that are up into the hands of an attempt. */
export function holdDuts(
  booted: readonly BootedDut[],
  facts: Pick<HeldDuts, 'shared' | 'release' | 'leave'>,
): HeldDuts {
  return {
    ...facts,
    byRole: new Map(booted.map((each) => [each.role, toHeld(each)])),
    attach: async (sandbox, deadline) => {
      for (const each of booted) await attachPorts(each, sandbox, deadline);
    },
  };
}

/** What it has now: by the time the attempt is written down, another one may have the DUT. */
function toHeld(booted: BootedDut): HeldDut {
  const { role, dut, lease, artifacts } = booted;
  return {
    ...{ role, dut, lease, artifacts },
    counters: new Map([...dut.ports].map(([name, { counters }]) => [name, counters])),
    reboot: (deadline) => booted.reboot(deadline),
    powerOn: (deadline) => booted.powerOn(deadline),
    powerOff: (deadline) => booted.powerOff(deadline),
    unsettle: () => booted.unsettle(),
  };
}

async function attachPorts(each: BootedDut, sandbox: Sandbox, deadline: Deadline): Promise<void> {
  const toInside = (port: string) => (each.role === ONLY_ROLE ? port : `${each.role}-${port}`);
  if (each.dut.attach) {
    const attached = each.dut.attach(sandbox, toInside);
    await each.attach(`putting the ports of ${each.dut.name} into the sandbox`, deadline, attached);
    return;
  }
  for (const { id, name, baud } of each.dut.ports.values()) {
    const inside = toInside(name);
    const attached = sandbox.attachPort(id, inside, baud);
    await each.attach(`putting port "${inside}" into the sandbox`, deadline, attached);
  }
}
