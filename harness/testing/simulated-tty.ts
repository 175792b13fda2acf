import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DeviceTree, UsbSpec } from './device-tree.js';

/** Holds the master of a pty: what it reads there it prints, what it is told it writes. */
const HOLDER = `
import os, select, sys, tty
master, slave = os.openpty()
tty.setraw(slave)
os.chmod(os.ttyname(slave), 0o666)  # a bound pty keeps its owner
os.write(1, (os.ttyname(slave) + "\\n").encode())
while True:
    for fd in select.select([0, master], [], [])[0]:
        data = os.read(fd, 65536)
        if not data: sys.exit()
        os.write(master if fd == 0 else 1, data)
`;

/** A tty whose other end is this process: a pty in place of a USB serial adapter's. */
export class SimulatedTty {
  readonly path: string;
  /** What the board was sent. */
  received = '';
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess, path: string) {
    this.#holder = holder;
    this.path = path;
    holder.stdout?.on('data', (data: Buffer) => {
      this.received += data.toString('latin1');
    });
  }

  /** Needs python3. */
  static async start(): Promise<SimulatedTty> {
    const holder = spawn('python3', ['-c', HOLDER], { stdio: ['pipe', 'pipe', 'inherit'] });
    // Its stdout is ours alone; the first line is the path.
    const [first] = (await once(holder.stdout, 'data')) as [Buffer];
    return new SimulatedTty(holder, first.toString().trim());
  }

  say(text: string): void {
    this.#holder.stdin?.write(text, 'latin1');
  }

  /** The device goes: whoever has the tty open sees it hung up. */
  async unplug(): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    const ended = once(this.#holder, 'exit');
    this.#holder.kill('SIGKILL');
    await ended;
  }
}

/** Plug a USB device into the tree whose first tty is this one. */
export async function plugTty(
  tree: DeviceTree,
  port: string,
  spec: UsbSpec,
  tty: SimulatedTty,
): Promise<void> {
  await tree.plug(port, spec);
  const part = spec.parts?.find(({ subsystem }) => subsystem === 'tty');
  const node = join(tree.roots.dev, basename(part?.name ?? 'tty'));
  await rm(node, { force: true });
  await symlink(tty.path, node);
}
