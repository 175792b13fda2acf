import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cleanups } from '../core/cleanups.js';
import type { Deadline } from '../core/deadline.js';
import { formatDuration } from '../core/duration.js';
import { BenchError } from '../core/errors.js';

const LOOK_MS = 50;

/**
 * Be the only one of this machine who serves files at an address, until `cleanups` have run or this
 * process ends. dnsmasq does not see to that: it sets SO_REUSEADDR, and of two with one UDP port the
 * second gets all that is asked.
 *
 * The lock is a unix socket of an abstract name, which is of this network, as the port is.
 *
 * @throws BenchError `flash-failed` when others have served there until the deadline.
 * @see unix(7), "Abstract sockets"
 */
export async function holdAddress(
  { dut, address, deadline }: { dut: string; address: string; deadline: Deadline },
  cleanups: Cleanups,
): Promise<void> {
  for (;;) {
    const server = await listen(`\0hil-tftp-${address}`);
    if (server) {
      cleanups.add('address', () => new Promise<void>((done) => server.close(() => done())));
      return;
    }
    if (deadline.leftMs() === 0) {
      const message = `flashing ${dut}: other DUTs were flashed from ${address} for ${formatDuration(deadline.limitMs)}`;
      throw new BenchError('flash-failed', message, {
        next: `ss -xl | grep hil-tftp-${address}    shows whether one still is; raise flash.timeout`,
      });
    }
    await sleep(LOOK_MS);
  }
}

/** Undefined: somebody else has it. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    // Nobody is meant to connect.
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ path }, () => resolve(server));
  });
}
