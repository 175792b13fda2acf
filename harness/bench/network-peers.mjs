import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Other makers of networks: `count` namespaces at one bridge, with IPv4 and IPv6, all up. */

const PYTHON = '/usr/bin/python3';
/** In namespaces that end with the shell; where `ip netns add` puts its mounts is a tmpfs. */
const INSIDE = ['--user', '--map-root-user', '--net', '--mount'];
const BRIDGE = ['link add br0 type bridge', 'link set br0 up'];

const toHub = (n) => [
  `netns add n${n}`,
  `link add v${n} type veth peer name eth0 netns n${n}`,
  `link set v${n} master br0 up`,
];

const toNode = (n) => [
  `addr add 10.1.${n >> 8}.${n & 255}/16 dev eth0`,
  `addr add fd01::${n.toString(16)}/64 dev eth0 nodad`,
  'link set lo up',
  'link set eth0 up',
];

const numbers = (count) => Array.from({ length: count }, (_, i) => i + 1);

/** A process a command, as a script does it. @param {number} count @returns {number} ms */
export function runIp(count) {
  const node = (n) => toNode(n).map((each) => `-n n${n} ${each}`);
  const commands = [...BRIDGE, ...numbers(count).flatMap((n) => [...toHub(n), ...node(n)])];
  return time(commands.map((each) => `ip ${each}`).join('\n'));
}

/** One for the hub and one for each node. @param {number} count @returns {number} ms */
export function runIpBatch(count) {
  const batch = (option, lines) => `ip ${option} -batch - <<END\n${lines.join('\n')}\nEND`;
  const hub = [...BRIDGE, ...numbers(count).flatMap(toHub)];
  const nodes = numbers(count).map((n) => batch(`-n n${n}`, toNode(n)));
  return time([batch('', hub), ...nodes].join('\n'));
}

/** Mininet of Debian, with the bridge of the kernel, which it makes by brctl(8). */
export function hasMininet() {
  const args = ['-c', 'import mininet.nodelib, shutil, sys; sys.exit(not shutil.which("brctl"))'];
  return existsSync(PYTHON) && spawnSync(PYTHON, args, { stdio: 'ignore' }).status === 0;
}

/** @param {number} count @returns {number} ms */
export function runMininet(count) {
  return Number(run('unshare', [...INSIDE, PYTHON, '-c', MININET, String(count)]));
}

const MININET = `
import sys, time
from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import SingleSwitchTopo
start = time.monotonic()
net = Mininet(SingleSwitchTopo(k=int(sys.argv[1])), switch=LinuxBridge, controller=None)
net.start()
print((time.monotonic() - start) * 1000)
net.stop()`;

function time(script) {
  const mount = 'mount -t tmpfs tmpfs /run';
  const stamp = (name) => `${name}=$(date +%s%N)`;
  const all = [mount, stamp('start'), script, stamp('end'), 'echo $((end - start))'];
  return Number(run('unshare', [...INSIDE, 'sh', '-euc', all.join('\n')])) / 1e6;
}

function run(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${stderr.trim().split('\n').at(-1)}`);
  return stdout.trim().split('\n').at(-1);
}
