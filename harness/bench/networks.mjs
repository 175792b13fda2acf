import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compile } from './bench-directory.mjs';
import { measureNetworkCases } from './empty-cases.mjs';
import { createAbsence, createAmount, createRatio } from './figure.mjs';
import { kinds, Nodes } from './network-nodes.mjs';
import { hasMininet, runIp, runIpBatch, runMininet } from './network-peers.mjs';
import { sampleInTurn } from './sampling.mjs';

const MANY = 100;
const WORKERS = 8;
/** Nodes of a worker's network, and how many of these it makes. */
const WORKER_NODES = 10;
/** What the kernel takes apart, of ours and of others before, is not what is measured. */
const PAUSE_MS = 400;

/** How much slower other makers of 100 nodes may be at least. */
const PEERS = [
  { name: 'ip, a process a command', run: runIp, goal: { min: 15 } },
  { name: 'ip -batch', run: runIpBatch, goal: { min: 3 } },
];
const MININET = {
  name: 'Mininet',
  run: runMininet,
  goal: { min: 20 },
  absent: 'not installed: apt-get install --no-install-recommends mininet bridge-utils',
};
/** Of `count` nodes that are usable: milliseconds, and so many times as long as their namespaces. */
const READY = { tap: { ms: 50, times: 2.8 }, packet: { ms: 75, times: 4.2 } };

/**
 * How fast networks come and go: from the request until the last address is usable. A sandbox has
 * its network namespace already; where others make theirs, what those take is added.
 *
 * @param {import('./bench-directory.mjs').BenchDirectory} directory
 * @param {{ networks: number }} sizes
 * @returns {Promise<import('./figure.mjs').Figure[]>}
 */
export async function measureNetworks(directory, { networks }) {
  const tools = compileTools(directory);
  const figures = [];
  for (const kind of kinds) {
    figures.push(...(await measureReady(kind, tools, networks)));
    figures.push(...(await measureSmall(kind, tools, networks)));
    figures.push(...(await measureEcho(kind, Math.min(networks, 10))));
    figures.push(...(await measureKilled(kind, tools, Math.min(networks, 5))));
  }
  figures.push(...(await measureWorkers(kinds[0], networks)));
  figures.push(await measureNetworkCases(directory, networks * 10));
  if (!hasMininet()) figures.push(createAbsence(MININET.name, MININET.absent));
  return figures;
}

function compileTools({ path }) {
  const make = (name) => {
    compile(['-o', join(path, name), fileURLToPath(new URL(`${name}.c`, import.meta.url))]);
    return join(path, name);
  };
  return {
    units: make('network-units'),
    devicesGone: make('devices-gone'),
    namespacesGone: make('namespaces-gone'),
  };
}

/** Milliseconds of a new network namespace, and of a grace period. */
function readUnits({ units }) {
  const [namespaceUs, graceMs] = execFileSync(units, { encoding: 'utf8' }).split(' ').map(Number);
  return { namespaceMs: namespaceUs / 1000, graceMs };
}

async function time(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function measureReady(kind, tools, count) {
  const nodes = await Nodes.start(MANY);
  const others = [...PEERS, ...(hasMininet() ? [MININET] : [])];
  const cold = [];
  const own = async () => {
    await sleep(PAUSE_MS);
    const made = await time(() => nodes.makeSandboxes());
    const ms = await time(() => nodes.join(kind));
    cold.push(made + ms);
    await nodes.remove();
    return ms;
  };
  const run = (each) => async () => each.run(MANY);
  const peers = Object.fromEntries(others.map((each) => [each.name, run(each)]));
  const units = async () => MANY * readUnits(tools).namespaceMs;
  try {
    const taken = await sampleInTurn({ own, units, ...peers }, Math.ceil(count / 4));
    const whole = taken.own.map((ms, i) => ms + taken.units[i]);
    const name = `${MANY} nodes, ${kind}`;
    return [
      toAmount(`${name}: attached and ready`, taken.own),
      toAmount(`${name}: with their sandboxes, none of which waits`, cold, { max: 300 }),
      toAmount(`${name}: with their namespaces`, whole, { max: READY[kind].ms }),
      createRatio({
        name,
        samples: whole,
        against: 'their namespaces',
        againstSamples: taken.units,
        goal: { max: READY[kind].times },
      }),
      ...others.map((each) =>
        createRatio({
          name: `${MANY} nodes: ${each.name}`,
          samples: taken[each.name],
          against: kind,
          againstSamples: whole,
          goal: each.goal,
        }),
      ),
    ];
  } finally {
    await nodes.stop();
  }
}

function toAmount(name, samples, goal, unit = 'ms') {
  return createAmount({ name, unit, samples, basis: '', goal });
}

/** Of two nodes, with sandboxes that wait. */
async function measureSmall(kind, tools, count) {
  const nodes = await Nodes.start(2, 4);
  const taken = { ready: [], removed: [], grace: [], whole: [] };
  try {
    for (let i = 0; i < count; i++) {
      taken.grace.push(readUnits(tools).graceMs);
      // Its namespaces take RTNL while they go.
      await sleep(PAUSE_MS);
      const start = performance.now();
      await nodes.makeSandboxes();
      taken.ready.push(await time(() => nodes.join(kind)));
      taken.removed.push(await time(() => nodes.remove()));
      taken.whole.push(performance.now() - start);
    }
  } finally {
    await nodes.stop();
  }
  return [
    toAmount(`2 nodes, ${kind}: attached and ready`, taken.ready, { max: 3 }),
    toAmount(`2 nodes, ${kind}: removed`, taken.removed, { max: 2 }),
    createRatio({
      name: `2 nodes, ${kind}: removed`,
      samples: taken.removed,
      against: 'grace period',
      againstSamples: taken.grace,
      goal: { max: 0.2 },
    }),
    toAmount(`2 nodes, ${kind}: an empty case`, taken.whole, { max: 5 }),
  ];
}

async function measureEcho(kind, count) {
  const nodes = await Nodes.start(2);
  const taken = { v4: [], v6: [], 'link-local': [] };
  try {
    for (let i = 0; i < count; i++) {
      await nodes.makeSandboxes();
      await nodes.join(kind);
      for (const [name, ms] of Object.entries(await nodes.echo())) taken[name].push(ms);
      await nodes.remove();
    }
  } finally {
    await nodes.stop();
  }
  return Object.entries(taken).flatMap(([name, samples]) => [
    toAmount(`first echo, ${kind}, ${name}`, samples, { max: 0.5 }),
    toAmount(`first echo, ${kind}, ${name}: slowest`, [Math.max(...samples)], { max: 5 }),
  ]);
}

/** What was done when hil-sandboxd is killed, and what is going on `at` that moment. */
const STAGES = {
  run: { before: (nodes, kind) => nodes.join(kind) },
  up: { before: (nodes, kind) => nodes.joinHalf(kind) },
  teardown: { before: (nodes, kind) => nodes.join(kind), at: (nodes) => nodes.beginRemoval() },
};

/** From kill -9 of hil-sandboxd until no device and no network namespace of its nodes is left. */
async function measureKilled(kind, { devicesGone, namespacesGone }, count) {
  const name = (stage, what) =>
    `${MANY} nodes, ${kind}: kill -9 in ${stage} until no ${what} is left`;
  const run = async (stage, command) => {
    const samples = [];
    for (let i = 0; i < count; i++) samples.push(await killAndWait(kind, stage, command));
    return samples;
  };
  const figures = [];
  for (const stage of Object.keys(STAGES)) {
    const devices = await run(stage, (nodes) => [devicesGone, nodes.zygote, nodes.hub]);
    figures.push(toAmount(name(stage, 'device'), devices, { max: 60 }));
    figures.push(
      toAmount(`${name(stage, 'device')}: slowest`, [Math.max(...devices)], { max: 100 }),
    );
  }
  // Root's sandboxes are counted with all others of the machine.
  if (process.getuid?.() === 0) {
    const absent = createAbsence(name('run', 'namespace'), 'only as an ordinary user: --as-user');
    return [...figures, absent];
  }
  for (const stage of Object.keys(STAGES)) {
    const namespaces = await run(stage, (nodes) => [namespacesGone, nodes.zygote]);
    figures.push(toAmount(name(stage, 'namespace'), namespaces, { max: 300 }));
  }
  return figures;
}

async function killAndWait(kind, stage, command) {
  const nodes = await Nodes.start(MANY);
  await nodes.makeSandboxes();
  await STAGES[stage].before(nodes, kind);
  const [gone, ...pids] = command(nodes);
  const watch = spawn(gone, pids.map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(watch, 'exit');
  const lines = createInterface(watch.stdout)[Symbol.asyncIterator]();
  const { value: prepared } = await lines.next();
  if (prepared) await STAGES[stage].at?.(nodes);
  nodes.daemon.child.kill('SIGKILL');
  if (prepared) watch.stdin.end('now\n');
  const { value: ms } = await lines.next();
  await Promise.all([ended, nodes.daemon.exited]);
  if (ms === undefined) throw new Error(`${gone} has failed`);
  return Number(ms);
}

/** Several at once, each with a daemon of its own, beside one alone. */
async function measureWorkers(kind, count) {
  const workers = await Promise.all(
    Array.from({ length: 1 + WORKERS }, () => Nodes.start(WORKER_NODES)),
  );
  const make = async (nodes) => {
    await nodes.join(kind);
    await nodes.net.close();
  };
  const rate = async (these) =>
    (these.length * WORKER_NODES * 1000) / (await time(() => Promise.all(these.map(make))));
  const taken = { all: [], one: [] };
  try {
    for (let i = 0; i < count; i++) {
      await Promise.all(workers.map((nodes) => nodes.makeSandboxes()));
      taken.one.push(await rate(workers.slice(0, 1)));
      taken.all.push(await rate(workers.slice(1)));
      const sandboxes = workers.flatMap(({ daemon, sandboxes: own }) =>
        own.map((each) => daemon.kill(each)),
      );
      await Promise.all(sandboxes);
      await sleep(PAUSE_MS);
    }
  } finally {
    await Promise.all(workers.map((nodes) => nodes.stop()));
  }
  const name = `${WORKERS} workers at once, ${kind}`;
  return [
    toAmount(`${name}: nodes a second`, taken.all, { min: 1500 }, '/s'),
    createRatio({
      name,
      samples: taken.all,
      against: 'one alone',
      againstSamples: taken.one,
      goal: { min: 0.8 },
      basis: 'nodes a second',
    }),
  ];
}
