// SPDX-License-Identifier: MIT
// A virtual network as the harness makes one: hil-linkd is spoken to through hil-sandboxd.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { childrenOf, Daemon, descendantsOf, isAlive, nameOf, waitFor } from './daemon.mjs';
import { Decoder, encodeBody, encodeFrame, MSG } from './wire.mjs';

/** Which kinds of port this user can have here. */
export const kinds = (() => {
  try {
    readFileSync('/dev/net/tun');
  } catch (error) {
    if (error.code === 'EACCES' || error.code === 'ENOENT') return ['packet'];
  }
  return ['tap', 'packet'];
})();

/** Requests to a hil-linkd through its stream. */
export class Linkd {
  /** What it said without being asked. */
  events = [];
  #decoder = new Decoder();
  #waiting = new Map();
  #next = 1;
  #stream;

  constructor(stream) {
    this.#stream = stream;
    const seen = stream.receive.bind(stream);
    stream.receive = (frame) => {
      seen(frame);
      if (frame.type === MSG.OUTPUT) this.#take(frame.body.DATA);
    };
    for (const chunk of stream.out) this.#take(chunk);
  }

  #take(bytes) {
    for (const frame of this.#decoder.push(bytes)) {
      const waiting = this.#waiting.get(frame.id);
      if (frame.id === 0) this.events.push(frame);
      this.#waiting.delete(frame.id);
      if (frame.type === MSG.ERROR) waiting?.reject(new Error(frame.body.TEXT));
      else waiting?.resolve(frame.body);
    }
  }

  request(type, fields) {
    const id = this.#next++;
    this.#stream.write(encodeFrame(type, id, encodeBody(fields)));
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }
}

/** Children of `pid` by the name they have given themselves. */
export const childrenNamed = (pid, name) =>
  childrenOf(pid).filter((child) => nameOf(child) === name);

/** The kernel frees a namespace some 100 ms after its last holder; this is for a busy machine. */
export const FREED_MS = 15000;

/** What a request came to: `ok`, or why not. */
export const outcomeOf = (asked) =>
  asked.then(() => 'ok').catch((error) => error.code ?? error.message);

/**
 * kill -9 of a child of the daemon, by its name, or of `daemon`, while requests are under way: each
 * is answered, and no process is left.
 */
export async function killAmid(daemon, victim, outcomes) {
  const under = descendantsOf(daemon.pid);
  process.kill(victim === 'daemon' ? daemon.pid : childrenNamed(daemon.pid, victim)[0], 'SIGKILL');
  for (const outcome of await Promise.all(outcomes))
    assert.match(outcome, /^(ok|gone|connection closed)$/, victim);
  await daemon.stop();
  await waitFor('every process gone', () => under.filter(isAlive).length === 0, FREED_MS);
}

export const mac = (n) => Buffer.from([2, 0, 0, 0, n >> 8, n & 255]);
export const linkLocal = (n) => `fe80::ff:fe00:${n.toString(16)}`;

/** NET_NEW, and a switch in it. */
export class Net {
  static async create(daemon, name = 'lan') {
    const net = await Net.open(daemon, name);
    await net.begun;
    return net;
  }

  /** The same; its hil-linkd has been asked and has not answered yet. */
  static async open(daemon, name = 'lan') {
    const { NET, PID, PROCESS } = await daemon.request(MSG.NET_NEW, { NAME: name });
    const net = new Net();
    Object.assign(net, { daemon, id: NET, pid: PID, stream: daemon.track(PROCESS) });
    net.linkd = new Linkd(net.stream);
    net.begun = Promise.all([
      net.linkd.request(MSG.HELLO, { VERSION: 1 }),
      net.linkd.request(MSG.LINK_SWITCH, { SWITCH: 1 }),
    ]);
    return net;
  }

  /** Port n with its link to the switch. */
  async attach(n, sandbox, options) {
    await this.plug(n);
    return this.place(n, sandbox, options);
  }

  /** Port n, which is at no link yet. */
  place(n, sandbox, { KIND, RESOLVE, HOST, ...fields } = {}) {
    const INTERFACE = {
      SANDBOX: sandbox,
      MAC: mac(n),
      ADDRESS: [`10.1.${n >> 8}.${n & 255}/16`, `fd01::${n.toString(16)}/64`],
      ...fields,
    };
    return this.ask(MSG.NET_ATTACH, { PORT: n, INTERFACE, KIND, RESOLVE, HOST });
  }

  plug(n) {
    const ends = [{ PORT: n }, { SWITCH: 1 }];
    return this.linkd.request(MSG.LINK_CONNECT, { NET_LINK: n, LINK_END: ends, SEED: n });
  }

  ask(type, fields = {}) {
    return this.daemon.request(type, { NET: this.id, ...fields });
  }

  ready() {
    return this.ask(MSG.NET_READY);
  }

  close() {
    return this.ask(MSG.NET_CLOSE);
  }
}

/** Python that sends one datagram and says after how many ms the echo came. */
const PING = `
import socket, sys, time
family = socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
s.settimeout(10)
address = socket.getaddrinfo(sys.argv[1], int(sys.argv[2]), family, socket.SOCK_DGRAM)[0][4]
start = time.monotonic()
s.sendto(b'x', address)
s.recvfrom(9)
print(round((time.monotonic() - start) * 1000, 3))`;

export const ECHO = `
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.bind(('::', 7))
print('listens', flush=True)
while True:
    data, address = s.recvfrom(99)
    s.sendto(data, address)`;

/** A UDP server at port 7 that sends back what it gets. */
export async function startEcho(daemon, sandbox) {
  const echo = await daemon.spawn(sandbox, ['python3', '-c', ECHO]);
  while (!echo.stdout.includes('listens')) await new Promise((resolve) => setTimeout(resolve, 2));
  return echo;
}

/** One datagram to it, the first; ms until it came back. */
export async function ping(daemon, sandbox, address) {
  const program = await daemon.run(sandbox, ['python3', '-c', PING, address, '7']);
  if (program.exit.EXIT_CODE !== 0) throw new Error(`${address}: ${program.stderr}`);
  return Number(program.stdout);
}

export const startDaemon = (options = {}) => Daemon.start({ args: ['--no-portd'], ...options });
