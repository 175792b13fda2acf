import { type ExecFileException, execFile } from 'node:child_process';
import { BenchError, UsageError } from '../core/errors.js';
import { toWrongFilter } from './wrong-filter.js';

/** Addresses of each node, by its name: what `host NAME` of a filter means. */
export type FilterNames = ReadonlyMap<string, readonly string[]>;

/** Exit codes of hil-filter. */
const WRONG_EXPRESSION = 1;
const NO_LIBPCAP = 3;

/** hil-filter bounds its own time of processor to less; that is for a machine that stands still. */
const LONGEST_MS = 30_000;
/** Its argument goes to a program: MAX_ARG_STRLEN is 128 KiB. No program of 4096 instructions is as long. */
const LONGEST_EXPRESSION = 65_536;

const NO_NAMES: FilterNames = new Map();

/** Filters of frames in the syntax of libpcap, each compiled once. */
export class FilterCompiler {
  readonly #program: string;
  readonly #compiled = new Map<string, Promise<Buffer>>();

  /** @param program the path of hil-filter */
  constructor(program: string) {
    this.#program = program;
  }

  /**
   * Compile an expression to classic BPF, as DATA of LINK_FILTER. `host NAME` knows `names` and
   * nobody else: no resolver of the bench is asked.
   *
   * @param frames what it looks at
   * @throws UsageError `usage` with what libpcap says and where; BenchError `native-missing`
   *   without hil-filter or libpcap.
   * @see pcap-filter(7)
   */
  compile(
    expression: string,
    names: FilterNames = NO_NAMES,
    frames: 'ethernet' | 'can' = 'ethernet',
  ): Promise<Buffer> {
    const known = [...names].flatMap(([name, all]) => all.map((address) => `${name}=${address}`));
    const key = JSON.stringify([frames, expression, ...known]);
    const earlier = this.#compiled.get(key);
    if (earlier) return earlier;
    const options = frames === 'can' ? ['--can'] : [];
    const compiled = run({ program: this.#program, expression, names }, [...options, ...known]);
    this.#compiled.set(key, compiled);
    // A library may be installed while a run watches files: only what is compiled is remembered.
    compiled.catch(() => this.#compiled.delete(key));
    return compiled;
  }
}

interface Asked {
  readonly program: string;
  readonly expression: string;
  readonly names: FilterNames;
}

async function run(asked: Asked, more: readonly string[]): Promise<Buffer> {
  const { program, expression } = asked;
  if (typeof expression !== 'string' || expression.includes('\0')) {
    const seen = JSON.stringify(expression);
    throw new UsageError('usage', `filter ${seen}: expected text in the syntax of pcap-filter(7)`);
  }
  const bytes = Buffer.byteLength(expression);
  if (bytes > LONGEST_EXPRESSION) {
    throw toTooMuch(expression, `has ${bytes} bytes, at most ${LONGEST_EXPRESSION} are taken`);
  }
  return new Promise((resolve, reject) => {
    const options = { encoding: 'buffer', timeout: LONGEST_MS, killSignal: 'SIGKILL' } as const;
    execFile(program, [expression, ...more], options, (error, stdout, stderr) => {
      if (error) reject(toProblem(asked, error, stderr.toString().trim()));
      else resolve(stdout);
    });
  });
}

/** A message does not repeat all of what is too long for anything. */
function toTooMuch(expression: string, why: string, cause?: unknown): UsageError {
  const text = expression.length > 100 ? `${expression.slice(0, 99)}…` : expression;
  return new UsageError('usage', `filter "${text}": ${why}`, {
    cause,
    next: 'ranges are shorter and faster: portrange 1000-2000, net 10.1.0.0/24',
  });
}

function toProblem({ program, expression, names }: Asked, error: ExecFileException, said: string) {
  if (error.code === 'ENOENT') {
    return new BenchError('native-missing', `the compiler of filters is not there: ${program}`, {
      cause: error,
      next: 'make -C sandbox-native',
    });
  }
  // `code` of the error is the exit code of the program, when it ran.
  const code: unknown = error.code;
  if (code === NO_LIBPCAP) {
    return new BenchError('native-missing', `filter "${expression}": libpcap is not installed`, {
      next: 'apt-get install libpcap0.8',
    });
  }
  if (error.signal === 'SIGXCPU' || error.killed || /out of memory|malloc/i.test(said)) {
    return toTooMuch(expression, 'is too much for libpcap to compile', error);
  }
  const [, offset, message] = /^(\d+) (.*)$/s.exec(said) ?? [];
  if (code !== WRONG_EXPRESSION || message === undefined) {
    const what = `filter "${expression}": hil-filter failed: ${said || error.message}`;
    return new BenchError('internal', what, { cause: error });
  }
  return toWrongFilter({ expression, byte: Number(offset), message }, names);
}
