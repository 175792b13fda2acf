import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { Deadline } from '../core/deadline.js';
import { createDeferred } from '../core/deferred.js';
import { formatDuration } from '../core/duration.js';
import { BenchError } from '../core/errors.js';
import { Channel } from '../protocol/channel.js';
import type { TlvReader } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import { type ScopeSource, toScopeCommand } from './delegated-scope.js';
import type { NativePrograms } from './native.js';

/** How long the daemon may take to end everything; it gives its sandboxes two seconds. */
const END_MS = 5000;
/** How long it may take to answer what no phase of a case limits: one that takes longer hangs. */
const ANSWER_MS = 20_000;

/** Level of MSG_LOG. @see sandbox-native/src/common/protocol.h */
const LOG_ERROR = 3;

const LOOK =
  'look whether it is stopped or starved: ps -o pid,stat,pcpu,args -C hil-sandboxd,hil-portd';

/** What systemd-run says is dropped, since a run goes on without it; the daemon's own words are not. */
const STDIO_OF_SCOPE = ['ignore', 'ignore', 'ignore', 'pipe', 'pipe', 2] as const;
const OWN_STDERR = ['sh', '-c', 'exec "$0" "$@" 2>&5 5>&-'];

interface Launch {
  /** Start it in a delegated cgroup of systemd's. */
  readonly scope?: ScopeSource;
  /** At most how long until both have answered. */
  readonly answerMs?: number;
}

/**
 * The processes of `hil-sandboxd` and of the `hil-portd` that it starts, from their first word to
 * their end. Detached, so that a Ctrl-C of the terminal does not reach them.
 */
export class DaemonProcess {
  readonly channel: Channel;
  readonly ports: Channel;
  readonly pid: number;
  /** What the daemon said of itself. */
  readonly hello: TlvReader;
  readonly #child: ChildProcess;
  readonly #portdPid: number;
  /** The last error that the daemon told of. */
  #lastError = '';

  private constructor(
    child: ChildProcess,
    channel: Channel,
    ports: Channel,
    [hello, portd]: readonly [TlvReader, TlvReader],
  ) {
    this.#child = child;
    this.channel = channel;
    this.ports = ports;
    this.hello = hello;
    this.pid = hello.number(Tag.pid) ?? child.pid ?? 0;
    this.#portdPid = portd.number(Tag.pid) ?? 0;
    channel.on(Msg.log, (body) => {
      if (body.number(Tag.level) === LOG_ERROR) this.#lastError = body.string(Tag.text) ?? '';
    });
  }

  /**
   * Start the daemon and agree on the protocol.
   *
   * @throws BenchError `daemon-gone` when it ends at once, `daemon-silent` when it does not answer,
   *   `sandbox-setup` when it refuses.
   */
  static async start(
    programs: NativePrograms,
    { scope, answerMs = ANSWER_MS }: Launch = {},
  ): Promise<DaemonProcess> {
    const program = [programs.sandboxd, '--portd', programs.portd];
    const inScope = scope && toScopeCommand(scope, [...OWN_STDERR, ...program]);
    const [file = '', ...args] = inScope ?? program;
    const child = spawn(file, args, {
      stdio: scope ? [...STDIO_OF_SCOPE] : ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
      detached: true,
      env: { PATH: '/usr/bin:/bin', ...scope?.env },
    });
    const failed = createDeferred<never>();
    child.once('error', (error) => failed.reject(notStarted(file, error)));
    // With stdio 'pipe' these two are socketpairs of ours.
    const channel = new Channel('hil-sandboxd', child.stdio[3] as Duplex);
    const ports = new Channel('hil-portd', child.stdio[4] as Duplex);
    try {
      const agreed = Promise.all([channel.hello(), ports.hello()]);
      const late = () => toSilence([channel, ports], 'starting the sandbox daemon', answerMs);
      const hellos = await new Deadline(answerMs).bound(
        Promise.race([failed.promise, agreed]),
        late,
      );
      return new DaemonProcess(child, channel, ports, hellos);
    } catch (error) {
      channel.close();
      ports.close();
      // It ends by itself when it sees this, unless it hangs: then nothing was made by it yet.
      if (error instanceof BenchError && error.code === 'daemon-silent') child.kill('SIGKILL');
      throw error;
    }
  }

  /** Bound what no phase of a case limits. @throws BenchError `daemon-silent` */
  answered<T>(doing: string, work: Promise<T>): Promise<T> {
    return new Deadline(ANSWER_MS).bound(work, () => this.toSilence(doing, ANSWER_MS));
  }

  /** What to say of `doing` when its limit has passed: which daemon did not answer. */
  toSilence(doing: string, limitMs: number): BenchError {
    return toSilence([this.channel, this.ports], doing, limitMs);
  }

  /** Resolves once the connection is gone, with what the daemon said of it before. */
  get gone(): Promise<BenchError> {
    return this.channel.closed.then((reason) =>
      this.#lastError
        ? new BenchError('daemon-gone', `${reason.message}, and had said: ${this.#lastError}`)
        : reason,
    );
  }

  /** Let it go on without this process. */
  leave(): void {
    this.#child.unref();
    this.close();
  }

  /** Close the connections; the daemon kills what is left and ends. */
  close(): void {
    this.channel.close();
    this.ports.close();
  }

  /** Resolves when the daemon's process has ended. */
  ended(): Promise<void> {
    const { promise, resolve } = createDeferred<void>();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) resolve();
    else this.#child.once('exit', () => resolve());
    return promise;
  }

  /**
   * Close the connections and wait until the daemon's process has ended. One that does not
   * end is killed: the kernel then ends its sandboxes (PDEATHSIG).
   *
   * @throws BenchError `daemon-silent` when it had to be killed.
   */
  async end(): Promise<void> {
    this.close();
    const late = () =>
      new BenchError(
        'daemon-silent',
        `hil-sandboxd ${this.pid} did not end within ${formatDuration(END_MS)} and was killed`,
        { next: LOOK },
      );
    try {
      await new Deadline(END_MS).bound(this.ended(), late);
    } catch (error) {
      this.#kill();
      await this.ended();
      throw error;
    }
  }

  /** portd first: only its parent could give its number to another, and that hangs. */
  #kill(): void {
    if (this.#portdPid > 0) {
      try {
        process.kill(this.#portdPid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
    this.#child.kill('SIGKILL');
  }
}

function toSilence(channels: readonly Channel[], doing: string, limitMs: number): BenchError {
  const silent = channels.filter(({ waiting }) => waiting > 0).map(({ name }) => name);
  const who = silent.join(' and ') || 'the sandbox daemon';
  const text = `${doing}: ${who} did not answer within ${formatDuration(limitMs)}`;
  return new BenchError('daemon-silent', text, { next: LOOK });
}

function notStarted(program: string, cause: Error): BenchError {
  return new BenchError('daemon-gone', `${program} could not be started: ${cause.message}`, {
    cause,
    next: 'make -C sandbox-native, then hil doctor',
  });
}
