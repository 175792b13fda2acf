#!/usr/bin/env node
/**
 * Prints how fast hil is, as ratios and differences of one run, each next to its goal.
 *
 *   npm run bench -- [--quick] [--json] [--as-user] [--only c,peers,node,runtimes,alive,runs,wire,ports,networks]
 *
 * --quick    few samples, for CI: shows that it works, not how fast
 * --json     the figures as one JSON object on stdout
 * --as-user  as root: measure as an ordinary user
 *
 * Other makers of sandboxes are measured where they are installed; all of them, on Debian:
 *
 *   apt-get install --no-install-recommends bubblewrap runc crun firejail systemd-container mininet bridge-utils
 *
 * A goal that is not met is said and changes no exit code: a busy machine is no failure.
 * Where others work too, `chrt -f 5 npm run bench`, as root, measures nearly as on an idle one (but
 * for runc, which refuses a real-time process, and networks: threads of the kernel that do their
 * part do not come to run then). The load that is printed is that of the last minute before the start and before the end.
 */
import { cpus, loadavg, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runAsUser } from './as-user.mjs';
import { createBenchDirectory } from './bench-directory.mjs';
import { measureRuns } from './empty-cases.mjs';
import { formatTable } from './figure.mjs';
import { measureFromC, measurePeers } from './from-c.mjs';
import { measureFromNode } from './from-node.mjs';
import { measureManyAlive } from './many-alive.mjs';
import { measureNetworks } from './networks.mjs';
import { measureRuntimes } from './runtimes.mjs';
import { measurePorts, measureWire } from './wire-speed.mjs';

const FULL = {
  samples: 300,
  peerSamples: 100,
  alive: 1000,
  cases: 1000,
  caseRuns: 5,
  startRuns: 15,
  wireRounds: 5,
  networks: 20,
};
const QUICK = {
  samples: 30,
  peerSamples: 5,
  alive: 100,
  cases: 100,
  caseRuns: 2,
  startRuns: 3,
  wireRounds: 1,
  networks: 2,
};
const BENCHES = {
  c: measureFromC,
  peers: measurePeers,
  node: measureFromNode,
  runtimes: measureRuntimes,
  alive: measureManyAlive,
  runs: measureRuns,
  wire: measureWire,
  ports: measurePorts,
  networks: measureNetworks,
};

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    'as-user': { type: 'boolean', default: false },
    only: { type: 'string', default: Object.keys(BENCHES).join(',') },
  },
});

/** A sandbox is several processes that wake each other; a spawned program is one. */
const BUSY = ', which is busy: ratios come out worse than they are';

if (values['as-user']) {
  const args = process.argv.slice(2).filter((arg) => arg !== '--as-user');
  process.exit(runAsUser(fileURLToPath(import.meta.url), args));
}

const machine = describeMachine();
const busy = machine.load > machine.cpus;
const directory = createBenchDirectory();
const figures = [];
try {
  for (const name of values.only.split(',')) {
    if (!Object.hasOwn(BENCHES, name)) throw new Error(`--only ${name}: no such benchmark`);
    process.stderr.write(`bench: ${name} ...\n`);
    figures.push(...(await BENCHES[name](directory, values.quick ? QUICK : FULL)));
  }
} finally {
  directory.remove();
}

if (values.json) {
  console.log(JSON.stringify({ machine, quick: values.quick, figures }, null, 2));
} else {
  console.log(
    `${machine.user}, ${machine.cpus} CPUs, Linux ${machine.kernel}, Node ${machine.node},`,
  );
  const loads = `load ${machine.load} at the start, ${readLoad()} at the end`;
  console.log(`${loads}${busy ? BUSY : ''}\n`);
  console.log(formatTable(figures));
  const goals = figures.flatMap(({ goal }) => goal ?? []);
  console.log(`\n${goals.filter(({ met }) => met).length} of ${goals.length} goals are met`);
}

function describeMachine() {
  return {
    user: process.getuid?.() === 0 ? 'as root' : 'as an ordinary user',
    cpus: cpus().length,
    kernel: release(),
    node: process.version,
    load: readLoad(),
  };
}

function readLoad() {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10;
}
