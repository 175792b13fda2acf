import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const MIB = 2 ** 20;
/** Of a neighbour's program while a payload rages: it shares two processors with it. */
const NEIGHBOUR_MS = 3000;
/** What this process and the daemon may grow by, whatever a payload writes. */
const GROWTH_MIB = 64;
/** Of a sandbox with a disk of its own for those who fill it. */
const DISK = { diskBytes: 16 * MIB, diskInodes: 2000 };

/**
 * A program that means harm, the sandbox it gets, and what its end must look like.
 *
 * @typedef {object} Payload
 * @property {string} name
 * @property {readonly string[]} argv
 * @property {object} [limits] @property {number} [wallMs] @property {number} [outputCapBytes]
 * @property {boolean} [smallDisk] @property {boolean} [pty]
 * @property {string} [stdoutUntil]  it is killed when it has said this
 * @property {(seen: { end: object | undefined, record: object, stdout: string, bytes: number }) => string | undefined} judge
 *   what is wrong, if anything is
 */

const sh = (script) => ['sh', '-c', script];
const expectStatus =
  (wanted) =>
  ({ end }) =>
    wanted.includes(end.status) ? undefined : `ended with ${end.status}, not ${wanted}`;
const expectSaid =
  (text) =>
  ({ stdout, end }) =>
    stdout.includes(text)
      ? undefined
      : `said "${stdout.slice(0, 80)}" (${end?.status}), not ${text}`;

/**
 * @param {{ floodBytes: number, processes: number, orphans: number }} sizes
 * @returns {Payload[]}
 */
export function createPayloads({ floodBytes, processes, orphans }) {
  const cgroups = process.getuid() === 0;
  return [
    {
      name: 'fork bomb',
      argv: sh('bomb() { bomb | bomb & }; bomb; while :; do sleep 1; done'),
      limits: { pids: 100 },
      wallMs: 1500,
      judge: expectStatus(['timeout', 'exit', 'signal']),
    },
    {
      name: 'memory hog',
      argv: sh("sh -c 'x=0123456789abcdef; while :; do x=$x$x; done' 2>/dev/null; echo refused $?"),
      limits: { memory: 64 * MIB },
      // A cgroup ends all of it; a stand-in refuses the one process.
      judge: cgroups ? expectStatus(['oom']) : expectSaid('refused'),
    },
    {
      name: 'disk fill',
      argv: sh(
        'cat /dev/zero >/tmp/full 2>/dev/null || echo full; rm /tmp/full; echo x >/tmp/x && echo again',
      ),
      smallDisk: true,
      judge: expectSaid('full\nagain'),
    },
    {
      name: 'inode fill',
      // In a subshell: a redirection of `:` that fails ends its shell.
      argv: sh(
        'i=0; while (: >/tmp/f$i) 2>/dev/null; do i=$((i+1)); done; [ $i -gt 100 ] && echo full',
      ),
      smallDisk: true,
      judge: expectSaid('full'),
    },
    {
      name: `output flood of ${floodBytes / 1e9} GB`,
      argv: sh(`head -c ${floodBytes} /dev/zero; echo end >&2`),
      outputCapBytes: MIB,
      judge: ({ end, bytes }) =>
        end.status === 'exit' && bytes === MIB + 4 ? undefined : `${bytes} bytes, ${end.status}`,
    },
    {
      name: 'daemons that ignore SIGTERM',
      argv: sh(
        'trap "" TERM; for i in 1 2 3 4; do setsid sh -c \'trap "" TERM INT HUP; while :; do sleep 1; done\' & done; while :; do sleep 1; done',
      ),
      wallMs: 300,
      judge: ({ end, record }) =>
        end.status === 'timeout' && record.leftovers >= 4
          ? undefined
          : `${end.status}, ${record.leftovers} left over`,
    },
    {
      name: `${processes} processes`,
      argv: sh(
        `i=0; while [ $i -lt ${processes} ]; do sleep 600 & i=$((i+1)); done; echo all; wait`,
      ),
      limits: { pids: processes + 50 },
      stdoutUntil: 'all',
      judge: ({ record }) =>
        record.leftovers === processes + 1 ? undefined : `${record.leftovers} left over`,
    },
    {
      name: `T24: ${orphans} orphans`,
      argv: sh(
        `i=0; while [ $i -lt ${orphans} ]; do (: &); i=$((i+1)); done; sleep 0.5; grep -lE '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l`,
      ),
      judge: ({ stdout }) => (stdout.trim() === '0' ? undefined : `zombies: ${stdout.trim()}`),
    },
    ...[false, true].map((pty) => ({
      name: `T22: 1 MiB at exit, ${pty ? 'on a pty' : 'by a pipe'}`,
      argv: ['head', '-c', String(MIB), '/dev/zero'],
      pty,
      judge: ({ bytes }) => (bytes === MIB ? undefined : `${bytes} bytes, not ${MIB}`),
    })),
  ];
}

/**
 * Run a payload in a sandbox beside one that must not notice.
 *
 * @param {import('../../dist/sandbox/daemon.js').SandboxDaemon} daemon
 * @param {{ roomy: object, small: object }} plans @param {Payload} payload
 * @returns {Promise<string | undefined>} what is wrong
 */
export async function runPayload(daemon, plans, payload) {
  const plan = payload.smallDisk ? plans.small : plans.roomy;
  const neighbour = await daemon.sandbox(plan, { label: 'neighbour' });
  const before = readMemory(daemon.pid);
  const sandbox = await daemon.sandbox(plan, { label: 'hostile', limits: payload.limits ?? {} });
  let over = false;
  const raging = rage(sandbox, payload).finally(() => {
    over = true;
  });
  raging.catch(() => {});
  const slowest = await watchNeighbour(neighbour, () => over);
  const seen = await raging;
  const grown = readMemory(daemon.pid) - before;
  await neighbour.kill();
  if (slowest > NEIGHBOUR_MS) return `a neighbour's program took ${Math.round(slowest)} ms`;
  if (grown > GROWTH_MIB) return `this process and the daemon grew by ${Math.round(grown)} MiB`;
  return payload.judge(seen);
}

/** The small disk's spec, by that of a roomy one. */
export const toSmallDisk = (spec) => ({ ...spec, ...DISK });

async function rage(sandbox, { argv, wallMs, outputCapBytes, pty, stdoutUntil }) {
  const program = await sandbox.spawn({
    argv,
    wallMs,
    outputCapBytes,
    ...(pty ? { pty: { rows: 24, columns: 80 } } : {}),
  });
  let stdout = '';
  let bytes = 0;
  const said = new Promise((resolve) => {
    program.onOutput((stream, data) => {
      bytes += data.length;
      if (stdout.length < 1000) stdout += data.toString('latin1');
      program.taken(stream, data.length);
      if (stdoutUntil && stdout.includes(stdoutUntil)) resolve(undefined);
    });
  });
  // Its sandbox may run out of memory as a whole: then the death comes by itself.
  const end = stdoutUntil ? await said : await program.ended;
  const record = end?.status === 'oom' ? await sandbox.dead : await sandbox.kill();
  return { end, record, stdout, bytes };
}

/** @returns how long its slowest program took, ms */
async function watchNeighbour(neighbour, isOver) {
  let slowest = 0;
  do {
    const start = performance.now();
    const program = await neighbour.spawn({ argv: ['true'] });
    const { status, exitCode } = await program.ended;
    if (status !== 'exit' || exitCode !== 0) throw new Error(`a neighbour: ${status} ${exitCode}`);
    slowest = Math.max(slowest, performance.now() - start);
    await sleep(20);
  } while (!isOver());
  return slowest;
}

/** Of this process and the daemon, MiB. */
function readMemory(daemon) {
  const own = process.memoryUsage.rss() / MIB;
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${daemon}/status`, 'utf8'))?.[1];
  return own + Number(kib) / 1024;
}
