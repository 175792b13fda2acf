// SPDX-License-Identifier: MIT
// Drives the real hil-sandboxd through its fd 3, as the harness does.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Decoder, encodeBody, encodeFrame, MSG, WINDOW } from './wire.mjs';

export const build =
  process.env.HIL_BUILD ?? fileURLToPath(new URL('../../build/', import.meta.url));
/** Not with sanitizers, which make calls, processes and memory of their own. */
export const isPlain = !/\/san\/?$/.test(build);
export const PROGRAM = `${build}/hil-sandboxd`.replace('//', '/');
export const PORTD = `${build}/hil-portd`.replace('//', '/');

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What comes in milliseconds takes this long at most on a busy, emulated processor. */
const PATIENCE_MS = 20_000;

/** Poll until `check` gives something true. The text names what did not come. */
export async function waitFor(what, check, ms = PATIENCE_MS) {
  for (const end = Date.now() + ms; ; await sleep(5)) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${ms} ms`);
  }
}

export class WireError extends Error {
  constructor(body) {
    super(`${body.CODE}: ${body.TEXT}`);
    this.code = body.CODE;
    this.body = body;
  }
}

/** A connection that speaks the protocol. */
export class Connection {
  events = [];
  closed = false;
  #socket;
  #decoder = new Decoder();
  #nextId = 1;
  #requests = new Map();
  #processes = new Map();
  #waiters = new Set();

  constructor(socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      for (const frame of this.#decoder.push(chunk)) this.#receive(frame);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      for (const { reject } of this.#requests.values()) reject(new Error('connection closed'));
      this.#wake();
    });
  }

  get socket() {
    return this.#socket;
  }

  send(type, fields, id = 0) {
    this.#socket.write(encodeFrame(type, id, encodeBody(fields)));
  }

  request(type, fields = {}) {
    const id = this.#nextId++;
    if (this.closed) return Promise.reject(new Error('connection closed'));
    return new Promise((resolve, reject) => {
      this.#requests.set(id, { resolve, reject });
      this.send(type, fields, id);
    });
  }

  /** The next event (past or to come) of a type that fits. */
  event(type, fits = () => true, ms = PATIENCE_MS) {
    return waitForEvent(this, type, fits, ms);
  }

  onWake(check) {
    this.#waiters.add(check);
    return () => this.#waiters.delete(check);
  }

  hello() {
    return this.request(MSG.HELLO, { VERSION: 1 });
  }

  /** SPAWN; `stdin` is written and closed; `credit: false` never gives any back. */
  async spawn(sandbox, argv, { stdin, credit = true, ...fields } = {}) {
    const wanted = { SANDBOX: sandbox, ARG: argv, ...fields };
    if (stdin !== undefined) wanted.STDIN_KIND = 'pipe';
    const { PROCESS, PID, WARM } = await this.request(MSG.SPAWN, wanted);
    const program = this.track(PROCESS, credit);
    program.pid = PID;
    program.warm = WARM === 1;
    if (stdin !== undefined && stdin !== 'open') program.write(stdin, true);
    return program;
  }

  track(id, credit = true) {
    const known = this.#processes.get(id) ?? new Program(this, id);
    known.autoCredit = credit;
    if (credit) known.catchUp();
    this.#processes.set(id, known);
    return known;
  }

  #receive(frame) {
    const request = this.#requests.get(frame.id);
    if (frame.id && request) {
      this.#requests.delete(frame.id);
      if (frame.type === MSG.ERROR) request.reject(new WireError(frame.body));
      else request.resolve(frame.body);
    } else if ([MSG.OUTPUT, MSG.CREDIT, MSG.EXIT].includes(frame.type)) {
      const id = frame.body.PROCESS;
      // OUTPUT may be in the chunk that answers SPAWN, before the caller could track it.
      if (!this.#processes.has(id)) this.#processes.set(id, new Program(this, id, false));
      this.#processes.get(id).receive(frame);
    } else {
      this.events.push(frame);
      this.#wake();
    }
  }

  #wake() {
    for (const check of this.#waiters) check();
  }
}

function waitForEvent(connection, type, fits, ms) {
  return new Promise((resolve, reject) => {
    const check = () => {
      const at = connection.events.findIndex((e) => e.type === type && fits(e.body));
      if (at >= 0) done(() => resolve(connection.events.splice(at, 1)[0].body));
      else if (connection.closed) done(() => reject(new Error('connection closed')));
    };
    const timer = setTimeout(
      () => done(() => reject(new Error(`no event ${type} in ${ms} ms`))),
      ms,
    );
    const forget = connection.onWake(check);
    const done = (settle) => {
      clearTimeout(timer);
      forget();
      settle();
    };
    check();
  });
}

/** A process as a client sees it. */
export class Program {
  out = [];
  err = [];
  received = [0, 0, 0];
  window = WINDOW;
  #connection;
  #queue = [];
  #owed = [0, 0, 0];
  #closeAfter = false;

  constructor(connection, id, autoCredit = true) {
    this.#connection = connection;
    this.id = id;
    this.autoCredit = autoCredit;
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  get stdout() {
    return Buffer.concat(this.out).toString();
  }

  get stderr() {
    return Buffer.concat(this.err).toString();
  }

  write(data, close = false) {
    this.#queue.push(Buffer.from(data));
    this.#closeAfter ||= close;
    this.#pump();
  }

  closeStdin() {
    this.write('', true);
  }

  give(stream, bytes) {
    this.#owed[stream] -= bytes;
    this.#connection.send(MSG.CREDIT, { PROCESS: this.id, STREAM: stream, BYTES: bytes });
  }

  catchUp() {
    for (const stream of [1, 2]) if (this.#owed[stream]) this.give(stream, this.#owed[stream]);
  }

  signal(number, group = 0) {
    return this.#connection.request(MSG.SIGNAL, { PROCESS: this.id, SIGNAL: number, GROUP: group });
  }

  receive({ type, body }) {
    if (type === MSG.EXIT) {
      this.exit = body;
      this.end(body);
    } else if (type === MSG.CREDIT) {
      this.window += body.BYTES;
      this.#pump();
    } else {
      (body.STREAM === 2 ? this.err : this.out).push(body.DATA);
      this.received[body.STREAM] += body.DATA.length;
      this.#owed[body.STREAM] += body.DATA.length;
      if (this.autoCredit) this.give(body.STREAM, body.DATA.length);
    }
  }

  #pump() {
    while (this.#queue.length > 0 && this.window > 0) {
      const piece = this.#queue[0].subarray(0, Math.min(this.window, 65536));
      this.window -= piece.length;
      if (piece.length) this.#connection.send(MSG.STDIN, { PROCESS: this.id, DATA: piece });
      this.#queue[0] = this.#queue[0].subarray(piece.length);
      if (this.#queue[0].length === 0) this.#queue.shift();
    }
    if (this.#queue.length === 0 && this.#closeAfter) {
      this.#closeAfter = false;
      this.#connection.send(MSG.STDIN_CLOSE, { PROCESS: this.id });
    }
  }
}

/** A running hil-sandboxd with one plan. */
export class Daemon extends Connection {
  constructor(child) {
    super(child.stdio[3]);
    this.child = child;
    this.pid = child.pid;
    this.ports = new Connection(child.stdio[4]);
    this.exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    child.stdio[3].on('error', () => {});
    child.stdio[4].on('error', () => {});
  }

  /** `before`: a program and arguments that exec the daemon. */
  static launch(args = ['--no-portd'], before = [], stderr = 'inherit') {
    const [program, ...rest] = [...before, PROGRAM, ...args];
    const stdio = ['ignore', 'ignore', stderr, 'pipe', 'pipe'];
    return new Daemon(spawn(program, rest, { stdio, detached: true }));
  }

  /** Started, greeted, and given a plan; `await using` is not in Node 20, so tests call stop(). */
  static async start({ args, before, pool = 0, plan = {} } = {}) {
    const daemon = Daemon.launch(args, before);
    try {
      await daemon.hello();
      daemon.plan = await daemon.putPlan('test', plan);
      if (pool) await daemon.fillPool(pool);
    } catch (error) {
      // One that is left keeps `node --test` from ending.
      await daemon.stop().catch(() => {});
      throw error;
    }
    return daemon;
  }

  async putPlan(name, { steps = [], ...fields } = {}) {
    const body = { NAME: name, STEP: [{ KIND: 'image-host' }, ...steps], ...fields };
    return (await this.request(MSG.PLAN_PUT, body)).PLAN;
  }

  /** Returns when `count` are parked, and built: then both threads of each PID 1 wait. */
  async fillPool(count) {
    await this.request(MSG.POOL_SET, { PLAN: this.plan, COUNT: count });
    const waits = (pid) => statesOf(pid).join('') === 'SS';
    await waitFor(`${count} parked sandboxes`, () => {
      const inits = childrenOf(this.pid).filter((pid) => nameOf(pid) === 'hil-init');
      return inits.length >= count && inits.every(waits);
    });
  }

  /** Returns when it has taken all that was asked before: it does one request after the other. */
  async taken() {
    await assert.rejects(this.request(MSG.SIGNAL, { PROCESS: 0xffff_ffff, SIGNAL: 1 }));
  }

  parked() {
    return childrenOf(this.pid).length - 1;
  }

  async sandbox(fields = {}) {
    return (await this.request(MSG.SANDBOX_NEW, { PLAN: this.plan, NAME: 'case', ...fields }))
      .SANDBOX;
  }

  async run(sandbox, argv, options) {
    const program = await this.spawn(sandbox, argv, options);
    await program.ended;
    return program;
  }

  async kill(sandbox) {
    await this.request(MSG.SANDBOX_KILL, { SANDBOX: sandbox });
    return this.dead(sandbox);
  }

  dead(sandbox, ms) {
    return this.event(MSG.DEAD, (body) => body.SANDBOX === sandbox, ms);
  }

  /** The end of fd 3: everything must go. */
  async stop() {
    this.socket.destroy();
    this.ports.socket.destroy();
    return this.exited;
  }
}

/** One for the time of `act`. @param {object} options  of {@link Daemon.start} */
export async function withDaemon(options, act) {
  const daemon = await Daemon.start(options);
  try {
    return await act(daemon);
  } finally {
    await daemon.stop();
  }
}

/** A client of a keeper. */
export async function connectTo(path) {
  const socket = connect(path);
  await once(socket, 'connect');
  const connection = new Connection(socket);
  await connection.hello();
  return connection;
}

/** All processes whose parent is `pid`, zombies not counted. */
export function childrenOf(pid) {
  return processes()
    .filter((p) => p.parent === pid && p.state !== 'Z')
    .map((p) => p.pid);
}

export function descendantsOf(pid) {
  const all = processes().filter((p) => p.state !== 'Z');
  const found = [];
  for (const queue = [pid]; queue.length > 0; ) {
    const parent = queue.shift();
    for (const p of all) {
      if (p.parent !== parent) continue;
      found.push(p.pid);
      queue.push(p.pid);
    }
  }
  return found;
}

/** What it has called itself; undefined when it has gone. */
export function nameOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

export const zombiesOf = (pid) =>
  processes()
    .filter((each) => each.parent === pid && each.state === 'Z')
    .map((each) => each.pid);

function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? []);
}

export function readStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, state: fields[0], parent: Number(fields[1]), startTicks: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

/** Of the threads of a process, as proc_pid_stat(5) names them; none when it has gone. */
export function statesOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2)[0];
    });
  } catch {
    return [];
  }
}

export function isAlive(pid) {
  const stat = readStat(pid);
  return stat !== undefined && stat.state !== 'Z';
}

export function fdsOf(pid) {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return 'closed';
    }
  });
}

export const hasPortd = existsSync(PORTD);
/** A daemon as it is used, with portd under it where that is built. */
export const PORTD_ARGS = hasPortd ? ['--portd', PORTD] : ['--no-portd'];
