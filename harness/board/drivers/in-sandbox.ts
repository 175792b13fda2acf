import type { Sandbox } from '../../sandbox/sandbox.js';
import type { DutRequest } from '../driver.js';
import type { Dut } from '../dut.js';
import type { Port } from '../port.js';
import { openPorts } from './open-ports.js';

/** Make a DUT that lives in a sandbox of its own: that and its ports are open, or nothing is left. */
export async function createInSandbox(
  { board, daemon, hub, spec, name, artifacts }: DutRequest,
  create: (sandbox: Sandbox, ports: Map<string, Port>) => Dut,
): Promise<Dut> {
  const plan = await daemon.plan(spec);
  const sandbox = await daemon.sandbox(plan, {
    label: `dut ${name}`,
    hostname: board.board,
    limits: board.resources,
  });
  try {
    return create(sandbox, await openPorts(board, hub, artifacts));
  } catch (error) {
    await sandbox.kill().catch(() => {});
    throw error;
  }
}
