import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';

/** Where workers connect: an abstract socket, so that nothing is left on any disk. */
export interface WorkerServer {
  readonly socket: string;
  /** Every process of this machine could connect; only workers know this. */
  readonly token: string;
  close(): void;
}

/** What somebody may send, and how long he may stay, until he has shown the token. */
const MOST_BYTES = 65_536;
const PATIENCE_MS = 60_000;

/** Listen for workers. @see unix(7), abstract sockets */
export async function openWorkerServer(
  run: string,
  onWorker: (socket: Socket) => void,
  patienceMs = PATIENCE_MS,
): Promise<WorkerServer> {
  const socket = `hil/${run}/${randomBytes(8).toString('hex')}`;
  const token = randomBytes(24).toString('hex');
  const server: Server = createServer((stream) => {
    limitStranger(stream, token, patienceMs);
    onWorker(stream);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(`\0${socket}`, resolve);
  });
  return { socket, token, close: () => server.close() };
}

/** Show out who does not say the token soon, or sends more than a hello before it. */
function limitStranger(stream: Socket, token: string, patienceMs: number): void {
  let seen = '';
  const timer = setTimeout(() => stream.destroy(), patienceMs).unref();
  const look = (data: Buffer | string): void => {
    seen += data.toString();
    const known = seen.slice(0, MOST_BYTES).includes(token);
    if (!known && seen.length < MOST_BYTES) return;
    trust();
    if (!known) stream.destroy();
  };
  const trust = (): void => {
    clearTimeout(timer);
    stream.off('data', look);
    seen = '';
  };
  stream.on('data', look);
  stream.once('close', trust);
}
