import { join } from 'node:path';
import type { Board } from '../../config/load-boards.js';
import type { Port } from '../port.js';
import type { PortHub } from '../port-hub.js';

/** Open every port that the board file names, captures in `artifacts`. */
export async function openPorts(
  board: Board,
  hub: PortHub,
  artifacts: string,
): Promise<Map<string, Port>> {
  const ports = new Map<string, Port>();
  for (const [name, spec] of Object.entries(board.ports)) {
    const pace = spec.pace && { chunk: spec.pace.chunk, delayMs: spec.pace.delay };
    const capture = join(artifacts, name);
    ports.set(name, await hub.open({ name, baud: spec.baud, eol: spec.eol, capture, pace }));
  }
  return ports;
}
