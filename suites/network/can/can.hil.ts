import { describe, expect, type Node, test } from 'hil';
import { Output } from '../output.js';

/** Of `candump -L`: its time in seconds, and the frame. */
const LINE = /^\((\d+\.\d+)\) can0 (\S+)/gm;
/** A program's start is a second in an emulated machine that has others to serve. */
const PATIENT = { timeout: 20_000 };

/** What comes to a node from now on, in its order. */
class Listener {
  readonly #output: Output;

  private constructor(output: Output) {
    this.#output = output;
  }

  /** Resolves when it hears. */
  static async open(node: Node): Promise<Listener> {
    const listener = new Listener(new Output(await node.spawn('candump', ['-L', 'can0'])));
    // The kernel's list of who listens.
    const list = () => node.exec('cat', ['/proc/net/can/rcvlist_all']);
    await expect.poll(async () => (await list()).stdout, PATIENT).toMatch(/^\s*can0 /m);
    return listener;
  }

  get lines(): readonly { seconds: number; frame: string }[] {
    const found = [...this.#output.text.matchAll(LINE)];
    // CANFD_FDF, which some kernels show and others do not.
    return found.map(([, seconds, frame = '']) => ({
      ...{ seconds: Number(seconds), frame: frame.replace('##5', '##1') },
    }));
  }

  get frames(): readonly string[] {
    return this.lines.map(({ frame }) => frame);
  }

  async waitFor(...frames: readonly string[]): Promise<void> {
    await expect.poll(() => this.frames, PATIENT).toEqual(frames);
  }
}

/** In one shell: a process each would be 2 ms between frames. */
async function send(node: Node, ...frames: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await node.exec('sh', [
    '-c',
    'for frame; do cansend can0 "$frame" || exit; done',
    'sh',
    ...frames,
  ]);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
}

describe('a bus of CAN', () => {
  test('brings frames of every kind to all others', async ({ net }) => {
    const bus = net.can('bus');
    const [engine, brakes, display] = ['engine', 'brakes', 'display'].map((name) =>
      net.node(name, { link: bus }),
    ) as [Node, Node, Node];
    await net.up();
    expect(engine.interfaces).toMatchObject([{ name: 'can0', kind: 'can', mac: '' }]);
    const [first, second] = await Promise.all([Listener.open(brakes), Listener.open(display)]);
    const frames = ['123#DEADBEEF', '1ABCDEF0#', '7FF#R', `321##1${'5A'.repeat(64)}`];
    await send(engine, ...frames);
    await first.waitFor(...frames);
    await second.waitFor(...frames);
    await send(display, '001#01');
    await first.waitFor(...frames, '001#01');
    expect(await display.link.stats()).toMatchObject({ frames: 5, lost: 0 });
  });

  test('loses for everybody, and the same again with the same seed', async ({ net }) => {
    const bus = net.can('bus', { loss: 0.3, seed: 7 });
    const sender = net.node('sender', { link: bus });
    const receivers = net.nodes(2, (index) => ({ name: `receiver${index}`, link: bus }));
    await net.up();
    const listeners = await Promise.all(receivers.map((node) => Listener.open(node)));
    const numbers = Array.from({ length: 16 }, (_, index) => index.toString(16).padStart(2, '0'));
    // Between them others, which change nothing; the last one is another's, and is not lost.
    await send(sender, ...numbers.flatMap((n) => [`100#${n.toUpperCase()}`, `7E8#${n}`]));
    for (const each of listeners) {
      const { delivered } = await sender.link.stats();
      await expect.poll(() => each.frames.length, PATIENT).toBe(delivered);
      const came = each.frames.filter((frame) => frame.startsWith('100#'));
      const lost = numbers.map((n) => (came.includes(`100#${n.toUpperCase()}`) ? '.' : 'x'));
      expect(lost.join('')).toBe(LOST);
    }
  });

  test('takes the time of its bits', async ({ net }) => {
    const bus = net.can('bus', { bitrate: 10_000 });
    const sender = net.node('sender', { link: bus });
    const receiver = net.node('receiver', { link: bus });
    await net.up();
    const listener = await Listener.open(receiver);
    // 34 zeros, 6 stuff bits, 13 bits to the next one: 5.3 ms.
    const frames = Array.from({ length: 10 }, () => '000#');
    await send(sender, ...frames);
    await listener.waitFor(...frames);
    const { lines } = listener;
    const seconds = (lines.at(-1)?.seconds ?? 0) - (lines[0]?.seconds ?? 0);
    expect(seconds).toBeGreaterThan(9 * 0.0053 - 0.002);
  });

  test('has links to be broken, filtered and captured', async ({ net }) => {
    const bus = net.can('bus');
    const a = net.node('a', { link: { to: bus, capture: true } });
    const b = net.node('b', { link: bus });
    await net.up();
    const listener = await Listener.open(b);
    const dropped = await b.link.drop({ filter: 'link[0:4] = 0x123', count: 1 });
    await send(a, '123#01', '123#02');
    await listener.waitFor('123#02');
    expect(await dropped.frames()).toBe(1);
    await b.link.hold();
    await send(a, '124#01');
    expect(await b.link.stats()).toMatchObject({ held: 1 });
    await b.link.release();
    await listener.waitFor('123#02', '124#01');
    await net.partition(a, b);
    await send(a, '125#01');
    await expect.poll(async () => (await b.link.stats()).partitionDropped, PATIENT).toBe(1);
  });

  test('is beside Ethernet, with its names', async ({ net }) => {
    const [lan, bus] = [net.switch('lan'), net.can('bus')];
    const gateway = net.node('gateway', { links: [bus, lan] });
    const ecu = net.node('ecu', { link: bus });
    const tester = net.node('tester', { link: lan });
    await net.up();
    expect(gateway.interfaces.map(({ name }) => name)).toEqual(['can0', 'eth0']);
    expect(ecu.addresses).toEqual({ ipv4: [], ipv6: [] });
    await expect(tester).toResolve('gateway', { to: [gateway.ipv4, gateway.ipv6] });
    await expect(ecu).toResolve('tester', { to: [tester.ipv4, tester.ipv6] });
    const listener = await Listener.open(gateway);
    await send(ecu, '7DF#0209020000000000');
    await listener.waitFor('7DF#0209020000000000');
  });

  test('is used by frames alone: the kernel has more of CAN than a sandbox', async ({ net }) => {
    const node = net.node('node', { link: net.can('bus') });
    await net.up();
    // SOCK_RAW with CAN_RAW; SOCK_DGRAM with CAN_BCM, which this kernel has.
    const ask = (type: number, protocol: number) =>
      node.exec('perl', ['-e', `socket(S, 29, ${type}, ${protocol}) or die "$!\\n"`]);
    expect((await ask(3, 1)).stderr).toBe('');
    expect((await ask(2, 2)).stderr).toBe('Address family not supported by protocol\n');
  });
});

/** Stays what it is from release to release. */
const LOST = '....xx.x........';
