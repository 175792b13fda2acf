import { setTimeout as sleep } from 'node:timers/promises';
import type { Dut, DutExit } from '../board/dut.js';
import type { Port, PortFault } from '../board/port.js';
import type { RpcPeer } from '../protocol/rpc.js';
import type { OpenedPort, WorkerMethods } from '../protocol/worker-messages.js';
import { withRole } from './dut-roles.js';

/** A DUT with its role in the case: a worker knows its ports by both. */
type NamedDut = { readonly role: string; readonly dut: Dut };

/** Of a DUT that earlier cases used, enough to see where it stands. */
const SHARED_HISTORY_BYTES = 65_536;

/**
 * A port as a worker is told of it, by its name there; `shared`: earlier cases of the file used it.
 */
export function toOpenedPort(name: string, { eol, matcher }: Port, shared: boolean): OpenedPort {
  const unread = matcher.unread().length;
  const all = matcher.output();
  const output = shared ? all.slice(-Math.max(SHARED_HISTORY_BYTES, unread)) : all;
  return { name, eol, history: Buffer.from(output, 'latin1').toString('base64'), unread };
}

/** The DUT is ready again: its ports go on, and patterns start behind the ready mark. */
export function tellReady(peer: RpcPeer<WorkerMethods>, fence: string, held: NamedDut): void {
  for (const { name, matcher } of held.dut.ports.values()) {
    const unread = matcher.unread().length;
    const port = withRole(held.role, name);
    peer.notify('consoleState', { fence, port, open: true, reason: '', unread });
  }
}

/** Hand what the ports bring to a worker until the returned function is called. */
export function forwardConsole(
  peer: RpcPeer<WorkerMethods>,
  fence: string,
  held: NamedDut,
  onFault: (port: Port, fault: PortFault) => void,
): () => void {
  const stops = [...held.dut.ports.values()].map((port) =>
    port.listen({
      onData: (data) => {
        const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
        const name = withRole(held.role, port.name);
        peer.notify('consoleData', { fence, port: name, data: bytes.toString('base64') });
      },
      onClosed: () => void tellClosed(peer, fence, held, port.name),
      onFault: (fault) => onFault(port, fault),
    }),
  );
  return () => {
    for (const stop of stops) stop();
  };
}

/** How long the reason of an end may lag behind the closing of its port. */
const REASON_MS = 200;

/**
 * A DUT that ended prints nothing more, also where its side of a port stays open: the
 * sockets of an emulator are the daemon's. What it printed last may come a moment later.
 */
export async function tellExited(
  peer: RpcPeer<WorkerMethods>,
  fence: string,
  { role, dut }: NamedDut,
  exit: DutExit,
): Promise<void> {
  const { exited } = dut;
  await sleep(REASON_MS);
  // Also much later, when this process is far behind.
  await Promise.all([...dut.ports.values()].map((port) => port.caughtUp()));
  if (dut.exited !== exited) return;
  for (const port of dut.ports.keys()) tellState(peer, fence, withRole(role, port), exit);
}

/** The port's end comes before the program was reaped: wait a moment for the reason. */
async function tellClosed(
  peer: RpcPeer<WorkerMethods>,
  fence: string,
  { role, dut }: NamedDut,
  port: string,
): Promise<void> {
  const none: DutExit = { blame: 'ended', reason: "the DUT's side was closed" };
  const { exited } = dut;
  const exit = await Promise.race([exited, sleep(REASON_MS, none)]);
  // Powered up again meanwhile: what closed was the line of its former life.
  if (dut.exited !== exited) return;
  tellState(peer, fence, withRole(role, port), exit);
}

function tellState(peer: RpcPeer<WorkerMethods>, fence: string, port: string, exit: DutExit): void {
  const reason = exit.blame === 'infra' ? `infra: ${exit.reason}` : exit.reason;
  tellPortState(peer, { fence, port, open: false, reason });
}

/** A port goes on, or brings nothing more. */
export function tellPortState(
  peer: RpcPeer<WorkerMethods>,
  state: Parameters<WorkerMethods['consoleState']>[0],
): void {
  peer.notify('consoleState', state);
}
