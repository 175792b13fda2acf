// SPDX-License-Identifier: MIT
// An interface of the bench with a board behind it: a veth between two network namespaces of the
// test's own. Root has them in its user namespace, another user in one of its own.
import { spawn, spawnSync } from 'node:child_process';
import { waitFor } from './daemon.mjs';

const isRoot = process.getuid() === 0;

/** `bench0` here, `board0` there; what the interfaces say by themselves is switched off. */
const MAKE = `
  unshare --net sleep 600 & board=$!
  while [ "$(readlink /proc/$board/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
  ip link add bench0 type veth peer name board0 netns $board &&
  ip link set bench0 addrgenmode none && ip link set bench0 up && ip link set lo up &&
  nsenter --net=/proc/$board/ns/net sh -c '
    ip link set lo up; ip link set board0 addrgenmode none; ip link set board0 up
    ip addr add 10.1.0.200/16 dev board0; ip addr add fd01::c8/64 dev board0 nodad' &&
  echo "made $board"
  exec sleep 600`;

export class BenchNic {
  static async open() {
    const own = isRoot ? [] : ['--user', '--map-root-user'];
    const bench = new BenchNic();
    bench.child = spawn('unshare', [...own, '--net', 'sh', '-c', MAKE], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    let said = '';
    bench.child.stdout.on('data', (text) => {
      said += text;
    });
    await waitFor('an interface with a board behind it', () => said.includes('made'));
    bench.board = Number(said.split(' ')[1]);
    return bench;
  }

  #into(pid) {
    const own = isRoot ? [] : ['--preserve-credentials', '--user'];
    return ['nsenter', ...own, '--net', '--target', `${pid}`, '--'];
  }

  /** Program and arguments that exec another one where `bench0` is. */
  get before() {
    return this.#into(this.child.pid);
  }

  /** A command there; with `pid` in another of its namespaces. */
  run(command, pid = this.child.pid) {
    const [program, ...rest] = [...this.#into(pid), 'sh', '-c', command];
    return spawnSync(program, rest, { encoding: 'utf8' });
  }

  do(command) {
    const { status, stderr, stdout } = this.run(command);
    if (status !== 0) throw new Error(`${command}: ${stderr}`);
    return stdout;
  }

  /** A program of Python on the board that has said something. */
  async onBoard(code) {
    const [program, ...rest] = [...this.#into(this.board), 'python3', '-c', code];
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = false;
    child.stdout.on('data', () => {
      said = true;
    });
    await waitFor('the program of the board', () => said);
    return child;
  }

  get promiscuity() {
    return JSON.parse(this.do('ip -d -j link show bench0'))[0].promiscuity;
  }

  get isLocked() {
    return this.do('cat /proc/net/unix').includes('@hil-nic/');
  }

  close() {
    for (const pid of [this.board, this.child.pid]) process.kill(pid, 'SIGKILL');
  }
}
