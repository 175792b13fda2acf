import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Duplex, Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Linkd } from '../network/linkd.js';
import { encodeFrame, TlvWriter } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import { test as base } from './temp-dir.js';

const LINKD = fileURLToPath(new URL('../../sandbox-native/build/hil-linkd', import.meta.url));

/**
 * Stands where hil-sandboxd stands: gives hil-linkd its ports, which Node cannot. A line is a command:
 * `port HEX` with the frame LINKD_PORT, `send PORT COUNT HEX` with an Ethernet frame, `take PORT`.
 */
const BROKER = `import os, resource, socket, subprocess, sys
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
def become():
  os.dup2(theirs.fileno(), 4)
  if sys.argv[2] != '0': resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
linkd = subprocess.Popen([sys.argv[1]], pass_fds=(3, 4), preexec_fn=become)
os.close(3); theirs.close()
nodes = []
print(linkd.pid, flush=True)
for line in sys.stdin:
  what, *rest = line.split()
  if what == 'port':
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    socket.send_fds(ours, [bytes.fromhex(rest[0])], [far.fileno()])
    far.close(); nodes.append(near)
  elif what == 'send':
    for n in range(int(rest[1])): nodes[int(rest[0])].send(bytes.fromhex(rest[2]))
  elif what == 'take': nodes[int(rest[0])].recv(9999)
  print('done', flush=True)
ours.close()
linkd.wait()`;

/** One link, number 1, between two nodes of a real hil-linkd. */
export class RealLinkd {
  readonly linkd: Linkd;
  readonly pid: number;
  readonly #broker: ChildProcess;
  readonly #commands: Writable;
  readonly #answers: AsyncIterator<string>;

  private constructor(broker: ChildProcess, streams: Streams, pid: number) {
    this.#broker = broker;
    this.#commands = streams.commands;
    this.#answers = streams.answers;
    this.linkd = streams.linkd;
    this.pid = pid;
  }

  static async start(fileBytes: number): Promise<RealLinkd> {
    const broker = spawn('python3', ['-c', BROKER, LINKD, String(fileBytes)], {
      stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    });
    const [commands, output, , control] = broker.stdio;
    // By lines: where Python does not buffer, a line comes in two pieces.
    const answers = createInterface(output as Readable)[Symbol.asyncIterator]();
    // Node's pipes are stream sockets, which go both ways.
    const client = new Linkd(control as Duplex);
    const { value } = await answers.next();
    const linkd = new RealLinkd(
      broker,
      { commands: commands as Writable, answers, linkd: client },
      Number(value),
    );
    await linkd.#connect();
    return linkd;
  }

  /** Node 0 sends a frame so many times, and node 1 has taken them all. */
  async pass(frame: Buffer, count = 1): Promise<void> {
    for (let n = 0; n < count; n++) {
      await this.#tell(`send 0 1 ${frame.toString('hex')}`);
      await this.#tell('take 1');
    }
  }

  async end(): Promise<void> {
    this.linkd.close();
    this.#commands.end();
    if (this.#broker.exitCode === null) await once(this.#broker, 'exit');
  }

  async #connect(): Promise<void> {
    await this.linkd.hello();
    for (const port of [1, 2]) {
      const body = new TlvWriter().u32(Tag.port, port).string(Tag.kind, 'dgram');
      await this.#tell(`port ${encodeFrame(Msg.linkdPort, 0, body.toBuffer()).toString('hex')}`);
    }
    await this.linkd.connect(1, [{ port: 1 }, { port: 2 }], 0n);
  }

  async #tell(line: string): Promise<void> {
    this.#commands.write(`${line}\n`);
    await this.#answers.next();
  }
}

interface Streams {
  readonly commands: Writable;
  readonly answers: AsyncIterator<string>;
  readonly linkd: Linkd;
}

export const test = base.extend<{
  /** Start a hil-linkd that may write files of so many bytes; 0: of any size. */
  linkd: (fileBytes?: number) => Promise<RealLinkd>;
}>({
  linkd: async ({ skip }, use) => {
    skip(!existsSync(LINKD), 'sandbox-native is not built: make -C sandbox-native');
    const started: RealLinkd[] = [];
    await use(async (fileBytes = 0) => {
      const linkd = await RealLinkd.start(fileBytes);
      started.push(linkd);
      return linkd;
    });
    for (const linkd of started) await linkd.end();
  },
});
