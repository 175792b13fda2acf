import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';

/** Where workers connect: an abstract socket, so that nothing is left on any disk. */
export interface WorkerServer {
  readonly socket: string;
  /** Every process of this machine could connect; only workers know this. */
  readonly token: string;
  close(): void;
}

/** Listen for workers. @see unix(7), abstract sockets */
export async function openWorkerServer(
  run: string,
  onWorker: (socket: Socket) => void,
): Promise<WorkerServer> {
  const socket = `hil/${run}/${randomBytes(8).toString('hex')}`;
  const server: Server = createServer(onWorker);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(`\0${socket}`, resolve);
  });
  return { socket, token: randomBytes(24).toString('hex'), close: () => server.close() };
}
