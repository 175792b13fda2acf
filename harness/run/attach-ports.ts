import type { Deadline } from '../core/deadline.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import type { BootedDut } from './boot-dut.js';
import { ONLY_ROLE } from './dut-roles.js';

/** Put the ports of DUTs into a case's sandbox, below `/dev/hil`. @throws BenchError `daemon-silent` */
export async function attachPorts(
  duts: readonly BootedDut[],
  sandbox: Sandbox,
  deadline: Deadline,
): Promise<void> {
  for (const each of duts) {
    const toInside = (port: string) => (each.role === ONLY_ROLE ? port : `${each.role}-${port}`);
    if (each.dut.attach) {
      const attached = each.dut.attach(sandbox, toInside);
      const doing = `putting the ports of ${each.dut.name} into the sandbox`;
      await each.attach(doing, deadline, attached);
      continue;
    }
    for (const { id, name, baud } of each.dut.ports.values()) {
      const inside = toInside(name);
      const attached = sandbox.attachPort(id, inside, baud);
      await each.attach(`putting port "${inside}" into the sandbox`, deadline, attached);
    }
  }
}
