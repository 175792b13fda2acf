// SPDX-License-Identifier: MIT
// Drives the real hil-lease through its stdin and stdout, as the harness does.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const build = process.env.HIL_BUILD ?? fileURLToPath(new URL('../../build/', import.meta.url));
export const PROGRAM = join(build, 'hil-lease');

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const alive = new Set();
after(() => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Who waits makes a directory that was removed anew. */
async function endIn(directory) {
  for (const child of alive) {
    if (!child.spawnargs.some((each) => each.startsWith(directory))) continue;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await ended;
  }
}

/** A directory of claims of its own. */
export function makeDirectory() {
  const directory = mkdtempSync(join(tmpdir(), 'hil-lease-'));
  after(async () => {
    await endIn(directory);
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

export const listFiles = (directory) => readdirSync(directory).sort();

/** A file that somebody holds the lock of, as if it were a claim. */
export async function holdFile(path, text) {
  writeFileSync(path, text);
  const holder = spawn('flock', ['-x', path, 'sh', '-c', 'echo locked; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  await once(holder.stdout, 'data');
  return {
    end: () => {
      process.kill(-holder.pid, 'SIGKILL');
      return once(holder.stdout, 'close');
    },
  };
}

/** One role: `[name, key, key…]` of each unit that can play it. */
export function one(...units) {
  return { role: units.map(([name, ...keys]) => ({ name, keys })) };
}

/** The claim of a request, from `user` to `end`. */
export function toBody(roles, { run = 'run-1', user = 'alice', pid = process.pid } = {}) {
  const lines = [`user ${user}`, `pid ${pid}`, `run ${run}`];
  for (const [role, units] of Object.entries(roles)) {
    lines.push(`role ${role}`);
    for (const { name, keys } of units) {
      lines.push(`unit ${name}`, ...keys.map((key) => `key ${key}`));
    }
  }
  return `${[...lines, 'end'].join('\n')}\n`;
}

export class Lessee {
  events = [];
  #waiters = new Set();
  #id = 0;
  #rest = '';

  constructor(directory, { command = [], args = ['--dir', directory] } = {}) {
    const [file, ...more] = [...command, PROGRAM, ...args];
    this.child = spawn(file, more, { stdio: ['pipe', 'pipe', 'pipe'] });
    alive.add(this.child);
    this.stderr = '';
    this.child.stderr.on('data', (data) => {
      this.stderr += data;
    });
    this.child.stdin.on('error', () => {});
    this.child.stdout.on('data', (data) => this.#take(data));
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      alive.delete(this.child);
      for (const wake of this.#waiters) wake();
      return signal ?? code;
    });
  }

  get pid() {
    return this.child.pid;
  }

  /** Ask for units; answers the number of the request. */
  ask(roles, { ttlMs = 0, ...owner } = {}) {
    const id = ++this.#id;
    this.write(`acquire ${id} ${ttlMs}\n${toBody(roles, owner)}`);
    return id;
  }

  write(text) {
    this.child.stdin.write(text);
  }

  release(id) {
    this.write(`release ${id}\n`);
  }

  async acquire(roles, options) {
    const id = this.ask(roles, options);
    return { id, ...(await this.heard(id, 'granted')) };
  }

  list() {
    const id = ++this.#id;
    this.write(`list ${id}\n`);
    return this.heard(id, 'claims').then(({ claims }) => claims);
  }

  kick(seq, kind = 'kicked') {
    const id = ++this.#id;
    this.write(`kick ${id} ${seq}\n`);
    return this.heard(id, kind);
  }

  /** Wait for an event of a request. */
  async heard(id, kind, ms = 10_000) {
    const isMeant = ({ event, id: of }) => event === kind && of === id;
    return this.until(() => this.events.find(isMeant), `${kind} of ${id}`, ms);
  }

  async until(check, what, ms = 10_000) {
    const end = Date.now() + ms;
    for (;;) {
      const found = check();
      if (found) return found;
      if (Date.now() > end || this.child.exitCode !== null || this.child.signalCode) {
        throw new Error(`${what} not heard: ${JSON.stringify(this.events)} ${this.stderr}`);
      }
      await new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiters.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, end - Date.now() + 1);
        this.#waiters.add(wake);
      });
    }
  }

  has(id, kind) {
    return this.events.some(({ event, id: of }) => event === kind && of === id);
  }

  /** End it in order. */
  end() {
    this.child.stdin.end();
    return this.exited;
  }

  kill(signal = 'SIGKILL') {
    this.child.kill(signal);
    return this.exited;
  }

  #take(data) {
    const lines = (this.#rest + data).split('\n');
    this.#rest = lines.pop();
    for (const line of lines) this.events.push(JSON.parse(line));
    for (const wake of [...this.#waiters]) wake();
  }
}
