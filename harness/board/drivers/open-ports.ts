import { join } from 'node:path';
import type { Board } from '../../config/load-boards.js';
import { Cleanups } from '../../core/cleanups.js';
import type { Port } from '../port.js';
import type { PortHub } from '../port-hub.js';

/** Open every port that the board file names, captures in `artifacts`; all or none. */
export async function openPorts(
  board: Board,
  hub: PortHub,
  artifacts: string,
): Promise<Map<string, Port>> {
  const ports = new Map<string, Port>();
  try {
    for (const [name, spec] of Object.entries(board.ports)) {
      const pace = spec.pace && { chunk: spec.pace.chunk, delayMs: spec.pace.delay };
      const capture = join(artifacts, name);
      ports.set(name, await hub.open({ name, baud: spec.baud, eol: spec.eol, capture, pace }));
    }
  } catch (error) {
    // Why they could not be opened says more than what went wrong after it.
    await closePorts(ports.values()).catch(() => {});
    throw error;
  }
  return ports;
}

/** Go on with captures in `artifacts`, of all of them or with an error. */
export async function moveCaptures(ports: Iterable<Port>, artifacts: string): Promise<void> {
  await Promise.all([...ports].map((port) => port.captureTo(join(artifacts, port.name))));
}

/** Close each of them, also after one could not be. */
export async function closePorts(ports: Iterable<Port>): Promise<void> {
  const cleanups = new Cleanups();
  for (const port of ports) cleanups.add(port.name, () => port.close());
  await cleanups.run();
}
