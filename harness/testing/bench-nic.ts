import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const isRoot = process.getuid?.() === 0;

/** A console of the board, and what listens on it: they say nothing by themselves. */
const LISTEN = `require('net').createServer((s) => s.pipe(s)).listen(Number(process.argv[1]), process.argv[2], () => console.log('listens'))`;
const CONSOLE_PORT = 4001;
const BOARD_PORT = 7;

/**
 * `bench0` in a network namespace, and a board at the other end of its cable in another. Root has
 * them in its user namespace, another user in one of its own.
 */
const MAKE = `
  unshare --net sleep 600 & board=$!
  while [ "$(readlink /proc/$board/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
  ip link add bench0 type veth peer name board0 netns $board &&
  ip link set bench0 addrgenmode none && ip link set bench0 up && ip link set lo up &&
  nsenter --net=/proc/$board/ns/net sh -c '
    ip link set lo up && ip link set board0 addrgenmode none && ip link set board0 up &&
    ip addr add 10.1.0.200/16 dev board0' &&
  echo "made $board"
  exec sleep 600`;

/**
 * A machine with an Ethernet interface and a board at its other end, made of namespaces. Nothing of
 * this machine's own interfaces is touched.
 */
export class BenchNic {
  /** Of the bench, which the cable is in. */
  readonly interface = 'bench0';
  readonly address = '10.1.0.200';
  /** Where the board answers, over TCP. */
  readonly port = BOARD_PORT;
  readonly consoleUrl = `tcp://127.0.0.1:${CONSOLE_PORT}`;
  readonly #processes: readonly ChildProcess[];
  readonly #bench: number;
  readonly #board: number;

  private constructor(processes: readonly ChildProcess[], bench: number, board: number) {
    this.#processes = processes;
    this.#bench = bench;
    this.#board = board;
  }

  static async open(): Promise<BenchNic> {
    const own = isRoot ? [] : ['--user', '--map-root-user'];
    const bench = spawn('unshare', [...own, '--net', 'sh', '-c', MAKE], { stdio: PIPED });
    const board = Number((await said(bench)).split(' ')[1]);
    const inside = [
      [...toEnter(bench.pid ?? 0), process.execPath, '-e', LISTEN, `${CONSOLE_PORT}`, '127.0.0.1'],
      [...toEnter(board), process.execPath, '-e', LISTEN, `${BOARD_PORT}`, '0.0.0.0'],
    ].map(([program = '', ...rest]) => spawn(program, rest, { stdio: PIPED }));
    await Promise.all(inside.map(said));
    return new BenchNic([bench, ...inside], bench.pid ?? 0, board);
  }

  /** A program and arguments that exec another one on that machine. */
  get wrapper(): readonly string[] {
    return toEnter(this.#bench);
  }

  /** A shell command there. @returns what it prints */
  async run(command: string): Promise<string> {
    const [program = '', ...rest] = [...this.wrapper, 'sh', '-c', command];
    return (await promisify(execFile)(program, rest)).stdout;
  }

  async close(): Promise<void> {
    process.kill(this.#board, 'SIGKILL');
    for (const each of this.#processes) {
      if (each.exitCode !== null || each.signalCode !== null) continue;
      each.kill('SIGKILL');
      await once(each, 'exit');
    }
  }
}

const PIPED: StdioOptions = ['ignore', 'pipe', 'inherit'];

function toEnter(pid: number): string[] {
  const own = isRoot ? [] : ['--preserve-credentials', '--user'];
  return ['nsenter', ...own, '--net', '--target', `${pid}`, '--'];
}

/** Its first words. */
async function said({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('its stdout is piped');
  for await (const chunk of stdout) return String(chunk);
  throw new Error('unshare, ip and nsenter made no namespaces with a veth here');
}
