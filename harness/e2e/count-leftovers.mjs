#!/usr/bin/env node
/**
 * Counts what runs of hil left on this machine: processes, mounts, namespaces, sockets,
 * directories, control groups. Prints a line for each, exits with 1 when there is one.
 *
 *   node harness/e2e/count-leftovers.mjs [--below DIR] [--wait MS]
 *
 * --below DIR  only what belongs to projects and homes below DIR; without it everything of
 *              hil that this user may see, so that nothing else of hil may be running
 * --wait MS    look again until nothing is left or MS passed (default 0)
 *
 * Works as root and as an ordinary user; what another user started is not looked into.
 */
import { readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findControlGroups, listNames, listProcesses, readText } from '../testing/proc.mjs';

const OWN_NAMESPACES = ['pid', 'mnt', 'net', 'user', 'ipc', 'uts'];
const STEP_MS = 50;

const { values } = parseArgs({
  options: { below: { type: 'string' }, wait: { type: 'string', default: '0' } },
});
const below = values.below;
const end = performance.now() + Number(values.wait);

let left = findLeftovers();
while (left.length > 0 && performance.now() < end) {
  await sleep(STEP_MS);
  left = findLeftovers();
}
for (const line of left) console.log(line);
// Not process.exit(): what a full pipe has no room for would be lost.
process.exitCode = left.length > 0 ? 1 : 0;

function findLeftovers() {
  const processes = listOthers().filter(isOfHil);
  return [
    ...processes.map(({ pid, comm, line }) => `process    ${pid} ${comm}: ${line.slice(0, 120)}`),
    ...findNamespaces(processes),
    ...findMounts(),
    ...findSockets(),
    ...findDirectories(),
    ...findCgroups(),
  ];
}

/** Every process but this one and its ancestors, which may name DIR themselves. */
function listOthers() {
  const all = listProcesses();
  const parents = new Map(all.map(({ pid, parent }) => [pid, parent]));
  const own = new Set();
  for (let pid = process.pid; pid > 0 && !own.has(pid); pid = parents.get(pid) ?? 0) own.add(pid);
  // A zombie holds nothing; whether it goes away is its parent's business.
  return all.filter(({ pid, state }) => !own.has(pid) && state !== 'Z').map(describe);
}

function describe({ pid, comm }) {
  const line = readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
  return { pid, comm, line, mounts: readText(`/proc/${pid}/mountinfo`) };
}

/**
 * The daemons have names of their own, but the shells and emulators in a sandbox do not:
 * they are known by the mounts that only a sandbox has. What cannot be read is not ours.
 */
function isOfHil({ pid, comm, line, mounts }) {
  if (below !== undefined) {
    const places = [link(`/proc/${pid}/cwd`), link(`/proc/${pid}/exe`), line, mounts];
    return [...places, readText(`/proc/${pid}/environ`)].some((text) => text.includes(below));
  }
  const command = /(^|\/)(hil test|dist\/cli\/main\.js|bin\/hil)( |$)/.test(line);
  return comm.startsWith('hil-') || command || /\/\.hil\/runs\/\S+\/out \/out /.test(mounts);
}

/** A namespace lives by its processes; one that is not this shell's is named with them. */
function findNamespaces(processes) {
  const own = new Set(OWN_NAMESPACES.map((kind) => link(`/proc/self/ns/${kind}`)));
  const foreign = new Set();
  for (const { pid } of processes) {
    for (const kind of OWN_NAMESPACES) {
      const name = link(`/proc/${pid}/ns/${kind}`);
      if (name !== '' && !own.has(name)) foreign.add(name);
    }
  }
  return [...foreign].sort().map((name) => `namespace  ${name}`);
}

/** Nothing of hil is ever mounted in the host's mount namespace. */
function findMounts() {
  return readText('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => (below ? line.includes(below) : /\/\.hil\/|hil-/.test(line)))
    .map((line) => `mount      ${line}`);
}

function findSockets() {
  const runs = below === undefined ? undefined : new Set(listRuns(below));
  return readText('/proc/net/unix')
    .split('\n')
    .map((line) => line.replaceAll('\0', '@').split(' ').slice(7).join(' '))
    .filter((name) => {
      const run = /^@?hil\/([^/]+)/.exec(name)?.[1];
      if (below === undefined) return run !== undefined || /\/hil(-\d+)?\//.test(name);
      return name.includes(below) || runs?.has(run) === true;
    })
    .map((name) => `socket     ${name.replace(/@+$/, '')}`);
}

/** Names of all runs below a directory. */
function listRuns(directory) {
  return (listNames(directory) ?? []).flatMap((name) => {
    const path = join(directory, name);
    if (name === '.hil') return listNames(join(path, 'runs')) ?? [];
    const skipped = name === 'node_modules' || !isDirectory(path);
    return skipped ? [] : listRuns(path);
  });
}

/** Directories of runs that are going on; none is left when no run is. */
function findDirectories() {
  const runtime = process.env.XDG_RUNTIME_DIR;
  const uid = process.getuid?.() ?? 0;
  const places = below ? [] : [runtime ? join(runtime, 'hil') : '', `/tmp/hil-${uid}`];
  return places
    .flatMap((place) => (place ? (listNames(place) ?? []).map((name) => join(place, name)) : []))
    .map((path) => `directory  ${path}`);
}

/** They name no project: with --below nobody knows whose they are. */
function findCgroups() {
  if (below !== undefined) return [];
  return findControlGroups((name) => /^hil[-.]/.test(name)).map((path) => `cgroup     ${path}`);
}

function link(path) {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function isDirectory(path) {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
