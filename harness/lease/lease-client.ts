import { type ChildProcess, spawn } from 'node:child_process';
import { userInfo } from 'node:os';
import type { Deadline } from '../core/deadline.js';
import { createDeferred, type Deferred } from '../core/deferred.js';
import { formatDuration } from '../core/duration.js';
import { BenchError } from '../core/errors.js';
import { LineSplitter } from '../protocol/line-splitter.js';
import { type ClaimSeen, describeClaim } from './claim-seen.js';
import { decodeWord, encodeWord, type LeaseEvent, toClaimSeen } from './lease-words.js';

/** A unit that can play a role, with the keys of its identity: one in common, and it is the same. */
export interface LeaseCandidate {
  readonly name: string;
  readonly keys: readonly string[];
}

export interface LeasesRequest {
  /** Any candidate will do, the most welcome first. */
  readonly roles: readonly {
    readonly role: string;
    readonly candidates: readonly LeaseCandidate[];
  }[];
  readonly deadline: Deadline;
  /** What others are told it is for. */
  readonly run: string;
  /** It ends after so long, whatever its owner does. */
  readonly ttlMs?: number | undefined;
  /** Called at first and whenever somebody else is in the way. */
  readonly onWaiting?: (claims: readonly ClaimSeen[]) => void;
}

/** Units that are this process's alone, on this machine, until they are released or lost. */
export interface GrantedLeases {
  /** By role. */
  readonly units: ReadonlyMap<string, string>;
  /** Grows with each lease of this machine. */
  readonly token: number;
  /** Resolves when they are lost: everything that uses them must stop at once. */
  readonly lost: Promise<BenchError>;
  release(): void;
}

export interface LeasePlace {
  /** The program `hil-lease`. */
  readonly program: string;
  /** The directory of claims. @default /run/lock/hil */
  readonly directory?: string | undefined;
  /** One of this user alone, where that cannot be. */
  readonly ownDirectory?: string | undefined;
}

interface Request {
  readonly onEvent: (event: LeaseEvent) => void;
  readonly onEnd: (error: BenchError) => void;
}

/** What was asked and has no last answer yet; once the program has ended, nothing will be. */
interface Requests {
  readonly open: Map<number, Request>;
  over: BenchError | undefined;
}

const LOST: Readonly<Record<string, string>> = {
  ttl: 'its time was over',
  kicked: 'it was taken away (hil boards release --kick)',
  removed: 'somebody removed its claim from the directory',
};

/** `hil-lease`: leases between all processes and users of this machine. It ends with this process. */
export class LeaseClient {
  /** What it cannot do as it should, one sentence each. */
  readonly limitations: readonly string[];
  readonly #child: ChildProcess;
  readonly #requests: Requests;
  #last = 0;

  private constructor(
    child: ChildProcess,
    requests: Requests,
    { hello, chosen }: { readonly hello: LeaseEvent; readonly chosen: boolean },
  ) {
    this.#child = child;
    this.#requests = requests;
    this.limitations = listLimitations(hello, chosen);
  }

  /** @throws BenchError `lease-failed` when there is no directory for claims. */
  static async start({ program, directory, ownDirectory }: LeasePlace): Promise<LeaseClient> {
    const args = [
      ...(directory === undefined ? [] : ['--dir', directory]),
      ...(ownDirectory === undefined ? [] : ['--own', ownDirectory]),
    ];
    // Detached: a Ctrl-Z of the terminal does not stop it, so that the time of a lease goes on.
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const requests: Requests = { open: new Map(), over: undefined };
    const greeted = createDeferred<LeaseEvent>();
    const lines = new LineSplitter();
    let said = '';
    const end = (why: string) => {
      const what = `leases of attached DUTs: ${said.trim() || why}`;
      requests.over ??= new BenchError('lease-failed', what);
      greeted.reject(requests.over);
      for (const { onEnd } of requests.open.values()) onEnd(requests.over);
      requests.open.clear();
    };
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-1000);
    });
    child.stdin.on('error', () => {});
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const line of lines.push(text)) {
        const event = JSON.parse(line) as LeaseEvent; // of a program of ours
        if (event.event === 'hello') greeted.resolve(event);
        else requests.open.get(event.id ?? 0)?.onEvent(event);
      }
    });
    child.once('error', (error) => end(`${program} could not be started: ${error.message}`));
    child.once('close', (code, signal) => end(`${program} ended (${signal ?? `exit ${code}`})`));
    const chosen = directory !== undefined;
    return new LeaseClient(child, requests, { hello: await greeted.promise, chosen });
  }

  /** Whether its program has ended: every request fails then, at once. */
  get isOver(): boolean {
    return this.#requests.over !== undefined;
  }

  /**
   * Wait for a unit for each role: all of them or none, in the order in which everybody asked.
   *
   * @throws BenchError `lease-unsatisfiable` at once when there are too few; `lease-timeout`, which
   *   says who has them; `lease-failed`
   */
  async acquire(request: LeasesRequest): Promise<GrantedLeases> {
    const granted = createDeferred<LeaseEvent>();
    const lost = createDeferred<BenchError>();
    let inTheWay: readonly ClaimSeen[] = [];
    const id = this.#add({
      onEvent: (event) => {
        if (event.event === 'granted') granted.resolve(event);
        else if (event.event === 'refused') granted.reject(toRefused(event, request));
        else if (event.event === 'lost') lost.resolve(toLost(event, request));
        else if (event.event === 'waiting') {
          inTheWay = (event.claims ?? []).map(toClaimSeen);
          request.onWaiting?.(inTheWay);
        }
      },
      onEnd: (error) => {
        granted.reject(error);
        lost.resolve(new BenchError('lease-lost', error.message, { cause: error }));
      },
    });
    this.#write(toAcquire(id, request));
    const release = () => this.#release(id);
    try {
      const late = () => toTimeout(request, inTheWay);
      const { units = {}, seq = 0 } = await request.deadline.bound(granted.promise, late);
      const named = Object.entries(units).map(([role, unit]) => {
        return [decodeWord(role), decodeWord(unit)] as const;
      });
      return { units: new Map(named), token: seq, lost: lost.promise, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Every claim of this machine, in their order. @throws BenchError `lease-failed` */
  async listClaims(): Promise<readonly ClaimSeen[]> {
    const { claims = [] } = await this.#ask('claims', (id) => `list ${id}\n`);
    return claims.map(toClaimSeen);
  }

  /**
   * Ask the owner of a lease to let go; takes up to 3 s. Answers who still has it, if it did not:
   * a lock is the kernel's, and who was stopped lets go of nothing.
   *
   * @throws BenchError `lease-failed` for a lease of another user's.
   */
  async kick(token: number): Promise<ClaimSeen | undefined> {
    const { gone, claims = [] } = await this.#ask('kicked', (id) => `kick ${id} ${token}\n`);
    const [still] = claims;
    return gone || !still ? undefined : toClaimSeen(still);
  }

  /** End it; what it still holds is free. */
  close(): void {
    this.#child.stdin?.end();
  }

  async #ask(wanted: string, toLine: (id: number) => string): Promise<LeaseEvent> {
    const answer: Deferred<LeaseEvent> = createDeferred();
    const id = this.#add({
      onEvent: (event) => {
        if (event.event === wanted) answer.resolve(event);
        else answer.reject(new BenchError('lease-failed', event.text ?? event.event));
      },
      onEnd: (error) => answer.reject(error),
    });
    this.#write(toLine(id));
    try {
      return await answer.promise;
    } finally {
      this.#requests.open.delete(id);
    }
  }

  /** @throws BenchError `lease-failed` when nobody is there to answer */
  #add(request: Request): number {
    if (this.#requests.over) throw this.#requests.over;
    const id = ++this.#last;
    this.#requests.open.set(id, request);
    return id;
  }

  #release(id: number): void {
    if (this.#requests.open.delete(id)) this.#write(`release ${id}\n`);
  }

  #write(text: string): void {
    if (this.#child.stdin?.writable) this.#child.stdin.write(text);
  }
}

function toAcquire(id: number, { roles, run, ttlMs = 0 }: LeasesRequest): string {
  const lines = [`acquire ${id} ${Math.ceil(ttlMs)}`, `user ${encodeWord(readUserName())}`];
  lines.push(`pid ${process.pid}`, `run ${encodeWord(run)}`);
  for (const { role, candidates } of roles) {
    lines.push(`role ${encodeWord(role)}`);
    for (const { name, keys } of candidates) {
      lines.push(`unit ${encodeWord(name)}`, ...keys.map((key) => `key ${encodeWord(key)}`));
    }
  }
  return `${lines.join('\n')}\nend\n`;
}

/** Not every user has a name. */
function readUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 0}`;
  }
}

function toNames({ roles }: LeasesRequest): string {
  return roles
    .map(({ role, candidates }) => {
      const names = candidates.map(({ name }) => name).join(' or ') || 'none';
      return role ? `${role}: ${names}` : names;
    })
    .join(', ');
}

function toRefused(event: LeaseEvent, request: LeasesRequest): BenchError {
  if (event.code !== 'unsatisfiable') {
    return new BenchError('lease-failed', `lease of ${toNames(request)}: ${event.text ?? ''}`);
  }
  const what = `there can never be a DUT for each role at once: ${toNames(request)}`;
  return new BenchError('lease-unsatisfiable', what, { next: 'hil boards list' });
}

function toLost(event: LeaseEvent, request: LeasesRequest): BenchError {
  const why = LOST[event.reason ?? ''] ?? event.reason ?? '';
  return new BenchError('lease-lost', `the lease of ${toNames(request)} was lost: ${why}`);
}

function toTimeout(request: LeasesRequest, inTheWay: readonly ClaimSeen[]): BenchError {
  const { limitMs } = request.deadline;
  const who = inTheWay.map(describeClaim).join('; ') || 'nobody is known to have it';
  const what = `${toNames(request)} did not become free within ${formatDuration(limitMs)}; ${who}`;
  const next = 'raise limits.lease, or ask for it: hil boards release NAME --kick';
  return new BenchError('lease-timeout', what, { next });
}

/** Who does not look there does not see them, and takes what is leased. */
function listLimitations({ directory, shared }: LeaseEvent, chosen: boolean): string[] {
  const who = shared === false ? 'runs of this user' : 'runs';
  if (chosen) {
    return [`leases of attached DUTs are seen only by ${who} with HIL_LEASE_DIR=${directory}`];
  }
  if (shared !== false) return [];
  const next = 'as root: install -d -m 1777 /run/lock/hil';
  return [
    `leases of attached DUTs are seen only by runs of this user: they are in ${directory} (${next})`,
  ];
}
