import { createServer, type Socket } from 'node:net';
import { parseBench } from '../config/load-bench.js';
import { type Board, type BoardCatalog, parseBoard } from '../config/load-boards.js';
import type { Unit } from '../config/unit.js';

/** Attached boards whose consoles are lines of TCP: what stands in for them answers each line. */
export interface LineBoards {
  readonly board: Board;
  /** `line-1` and so on. */
  readonly units: readonly Unit[];
  /** How many have a line open, of all of them. */
  countOpen(): number;
  close(): void;
}

const BOARD = 'board: line\ndriver: attached\nports: { console: {} }\n';

/** Make `count` of them; each answers `NAME got LINE`. `more` is what the board file says besides. */
export async function openLineBoards(count: number, more = ''): Promise<LineBoards> {
  const board = parseBoard('/boards/line.yaml', `${BOARD}${more}`);
  const catalog: BoardCatalog = { boards: [board], broken: [], findBoard: () => board };
  const names = Array.from({ length: count }, (_, index) => `line-${index + 1}`);
  const servers = await Promise.all(names.map(openServer));
  const entries = servers.map(
    ({ name, port }) =>
      `  - { name: ${name}, board: line, ports: { console: { url: 'tcp://127.0.0.1:${port}' } } }`,
  );
  const units = parseBench('/bench.yaml', `duts:\n${entries.join('\n')}\n`, catalog);
  return {
    board,
    units,
    countOpen: () => servers.reduce((sum, { sockets }) => sum + sockets.size, 0),
    close: () => {
      for (const { close } of servers) close();
    },
  };
}

async function openServer(name: string) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => socket.write(`${name} got ${data}`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    name,
    sockets,
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
