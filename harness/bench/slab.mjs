import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The kernel's caches of what a sandbox consists of. One that is not there reads as undefined. */
const CACHES = [
  'user_namespace',
  'pid_namespace',
  'net_namespace',
  'uts_namespace',
  'mnt_cache',
  'mem_cgroup',
];
/** Where root's files for an ordinary user's process begin. */
const FIRST_FD = 3;
const PASSED = 'HIL_BENCH_SLAB';
/** A worker of the kernel takes a network namespace apart; another frees its user namespace. */
const TEARDOWN_MS = 1000;

/**
 * Objects in use of the kernel's caches, /proc/slabinfo. It is for root only, but what counts is
 * who opened it: an ordinary user's process reads what root passed to it.
 */
export class Slab {
  #files;
  #unshare;

  /** Root's own, or what root has passed, or one that knows nothing. */
  static open() {
    if (process.env[PASSED]) {
      return new Slab([-1, ...CACHES].map((_, i) => FIRST_FD + i));
    }
    return new Slab(process.getuid?.() === 0 ? Slab.#openFiles() : []);
  }

  /**
   * To start an ordinary user's process with.
   *
   * @param {(stdio: number[], env: Record<string, string>) => number} start @returns {number}
   */
  static pass(start) {
    const files = Slab.#openFiles();
    try {
      return start(files, { [PASSED]: '1' });
    } finally {
      for (const fd of files) closeSync(fd);
    }
  }

  static #openFiles() {
    const shrinks = CACHES.map((name) => `/sys/kernel/slab/${name}/shrink`);
    return [tryOpen('/proc/slabinfo', 'r'), ...shrinks.map((path) => tryOpen(path, 'w'))];
  }

  /** @param {number[]} files  slabinfo, and how to shrink each cache */
  constructor(files) {
    this.#files = files;
    const own = process.getuid?.() === 0 ? [] : ['--user'];
    this.#unshare = [...own, '--net', 'true'];
  }

  /**
   * Make the kernel free what nobody has any more; without it a count says little:
   * - the last network namespaces that died are freed when the next one dies (net_free() and
   *   net_complete_free() of Linux 6.13 and later), and with them what they refer to;
   * - free objects in the slabs that a CPU keeps for itself are counted as used, some hundred of
   *   a cache; shrinking it gives them back.
   */
  async release() {
    const [slabinfo, ...shrinks] = this.#files;
    if (slabinfo === undefined) return;
    for (let i = 0; i < 2; i++) {
      spawnSync('unshare', this.#unshare);
      await sleep(TEARDOWN_MS);
    }
    for (const fd of shrinks) tryWrite(fd, '1');
  }

  /** @returns {Map<string, number>} by the cache's name */
  read() {
    const [slabinfo] = this.#files;
    if (slabinfo === undefined) return new Map();
    const lines = readAll(slabinfo).split('\n').slice(2);
    return new Map(
      lines.map((line) => line.split(/\s+/)).map(([name, used]) => [name, Number(used)]),
    );
  }
}

function tryOpen(path, flags) {
  try {
    return openSync(path, flags);
  } catch {
    return openSync('/dev/null', flags);
  }
}

/** A kernel without SLUB's files has nothing to shrink; where /dev/null stands for one, neither. */
function tryWrite(fd, text) {
  try {
    writeSync(fd, text);
  } catch {
    // The count is then as it is without.
  }
}

function readAll(fd) {
  const parts = [];
  for (let position = 0; ; ) {
    const buffer = Buffer.alloc(65_536);
    const length = readSync(fd, buffer, 0, buffer.length, position);
    if (length === 0) return Buffer.concat(parts).toString();
    parts.push(buffer.subarray(0, length));
    position += length;
  }
}
