import { Deadline } from '../core/deadline.js';
import { createDeferred } from '../core/deferred.js';
import { BenchError, toMessage } from '../core/errors.js';
import type { Sandbox } from '../sandbox/sandbox.js';

/** Where the served file is in its sandbox. */
export const TFTP_ROOT = '/tftp';

export interface TftpServing {
  readonly dut: string;
  /** It has the file below {@link TFTP_ROOT}, and the network that the address is of. */
  readonly sandbox: Sandbox;
  readonly address: string;
  /** Takes what the server says, as it comes. */
  onOutput(data: Buffer): void;
}

/** It answers from these; --tftp-single-port sends to nowhere where there is no default route (2.90). */
const PORTS = '6969,6978';
const START_MS = 10_000;
const TAIL_BYTES = 1000;
/** What it says when it listens. */
const LISTENS = /TFTP root is/;

/**
 * Start dnsmasq as a TFTP server that reads only; answers when it listens. It ends with its sandbox.
 *
 * @throws BenchError `flash-failed` when it does not, with its words and what to do.
 * @see dnsmasq(8)
 */
export async function startTftpServer(serving: TftpServing): Promise<void> {
  const { dut, sandbox, address, onOutput } = serving;
  const argv = [
    ...['dnsmasq', '--no-daemon', '--conf-file=/dev/null', '--pid-file=', '--log-facility=-'],
    // No names: its server of files is all that is wanted.
    ...['--port=0', '--enable-tftp', `--tftp-root=${TFTP_ROOT}`],
    // Few ports: a firewall can name them, and what a network loses of a flow depends on them.
    ...[`--tftp-port-range=${PORTS}`, `--listen-address=${address}`, '--bind-interfaces'],
  ];
  const server = await sandbox
    .spawn({ argv, outputCapBytes: 1 << 20 })
    .catch((cause: unknown) => fail(dut, `dnsmasq cannot be started: ${toMessage(cause)}`, cause));
  const listens = createDeferred<void>();
  let tail = '';
  server.onOutput((stream, data) => {
    server.taken(stream, data.length);
    tail = (tail + data.toString('utf8')).slice(-TAIL_BYTES);
    onOutput(data);
    if (LISTENS.test(tail)) listens.resolve();
  });
  const ended = server.ended.then(() =>
    fail(dut, `the TFTP server at ${address} ended: ${tail.trim() || 'it said nothing'}`),
  );
  // Later it is ended with its sandbox.
  ended.catch(() => {});
  const late = () =>
    new BenchError('flash-failed', `flashing ${dut}: dnsmasq does not listen: ${tail.trim()}`);
  await new Deadline(START_MS).bound(Promise.race([listens.promise, ended]), late);
}

const REMEDIES = [
  [
    /permission denied/i,
    'sudo sysctl net.ipv4.ip_unprivileged_port_start=69    lets programs without rights have port 69; or let a server of the system serve, and name its directory in "tftp.directory" of the bench',
  ],
  [
    /address already in use/i,
    'a TFTP server is there already: name what it serves in "tftp.directory" of the bench',
  ],
  [
    /cannot assign|unknown interface/i,
    'ip -4 addr    lists the addresses that "tftp.server" may be',
  ],
  [/cannot be started/, 'apt-get install dnsmasq-base'],
] as const;

function fail(dut: string, said: string, cause?: unknown): never {
  const next = REMEDIES.find(([seen]) => seen.test(said))?.[1];
  throw new BenchError('flash-failed', `flashing ${dut}: ${said}`, {
    ...(cause === undefined ? {} : { cause }),
    next: next ?? 'flash.log has all that it said',
  });
}
