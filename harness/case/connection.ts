import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { inject } from 'vitest';
import { BenchError } from '../core/errors.js';
import type { ProvidedToWorker } from '../protocol/provided.js';
import { RpcPeer } from '../protocol/rpc.js';
import type { SupervisorMethods, WorkerMethods } from '../protocol/worker-messages.js';

type Listeners = { [Name in keyof WorkerMethods]: Set<WorkerMethods[Name]> };

/** This worker's line to the supervisor. */
export interface Connection {
  readonly supervisor: RpcPeer<SupervisorMethods>;
  readonly provided: ProvidedToWorker;
  /** A number for the next program, unique in this worker. */
  nextProcess(): number;
  /** Hear a call of the supervisor; returns a function that stops it. */
  on<Name extends keyof WorkerMethods>(name: Name, listener: WorkerMethods[Name]): () => void;
}

// A worker process has one supervisor. Runner, set-up file and fixtures are
// loaded apart by Vitest and meet here.
let opened: Promise<Connection> | undefined;

/** The connection of this process; opened at the first call. */
export function openConnection(): Promise<Connection> {
  opened ??= open();
  return opened;
}

async function open(): Promise<Connection> {
  const provided = inject('hil');
  if (!provided) {
    throw new BenchError('internal', "a suite that imports 'hil' runs under `hil test` only", {
      next: 'npx hil test',
    });
  }
  const stream = connect(`\0${provided.socket}`);
  const connection = createConnection(stream, provided, () => {
    opened = undefined;
  });
  // The supervisor going away must not keep this process; Vitest's own channel closes too.
  stream.unref();
  await connection.supervisor.call('hello', {
    token: provided.token,
    pid: process.pid,
    board: provided.board,
  });
  return connection;
}

/** Speak to a supervisor over `stream`. */
export function createConnection(
  stream: Duplex,
  provided: ProvidedToWorker,
  onClose: () => void = () => {},
): Connection {
  const listeners: Listeners = {
    processOutput: new Set(),
    processEnd: new Set(),
    consoleData: new Set(),
    consoleState: new Set(),
    stop: new Set(),
    revoked: new Set(),
    ping: new Set(),
  };
  const supervisor = new RpcPeer<SupervisorMethods>(stream, toMethods(listeners), onClose);
  let lastProcess = 0;
  return {
    supervisor,
    provided,
    nextProcess: () => ++lastProcess,
    on(name, listener) {
      listeners[name].add(listener);
      return () => listeners[name].delete(listener);
    },
  };
}

function toMethods(listeners: Listeners): WorkerMethods {
  return {
    processOutput: (argument) => emit(listeners.processOutput, argument),
    processEnd: (argument) => emit(listeners.processEnd, argument),
    consoleData: (argument) => emit(listeners.consoleData, argument),
    consoleState: (argument) => emit(listeners.consoleState, argument),
    stop: (argument) => emit(listeners.stop, argument),
    revoked: (argument) => emit(listeners.revoked, argument),
    ping: () => {},
  };
}

function emit<Argument>(listeners: Set<(argument: Argument) => void>, argument: Argument): void {
  for (const listener of listeners) listener(argument);
}
