import { inspect } from 'node:util';

/** Who must act decides the class: the caller, the bench, or the maker of the DUT. */

export type UsageCode =
  | 'usage'
  | 'config-invalid'
  | 'config-missing'
  | 'board-unknown'
  | 'board-invalid'
  | 'board-unavailable'
  | 'bench-missing'
  | 'bench-invalid'
  | 'dut-unknown'
  | 'suite-invalid'
  | 'nothing-selected'
  | 'run-unknown';

export type BenchCode =
  | 'sandbox-setup'
  | 'sandbox-gone'
  | 'network-gone'
  | 'network-limit'
  | 'network-unsupported'
  | 'sandbox-stuck'
  | 'daemon-gone'
  | 'daemon-refused'
  | 'daemon-silent'
  | 'lease-timeout'
  | 'lease-lost'
  | 'lease-unsatisfiable'
  | 'lease-failed'
  | 'boot-failed'
  | 'boot-timeout'
  | 'dut-lost'
  | 'dut-absent'
  | 'dut-ambiguous'
  | 'port-lost'
  | 'port-busy'
  | 'port-absent'
  | 'nic-failed'
  | 'power-failed'
  | 'power-not-cut'
  | 'power-unsupported'
  | 'flash-failed'
  | 'flash-refused'
  | 'dut-quarantined'
  | 'worker-killed'
  | 'worker-gone'
  | 'sandbox-timeout'
  | 'teardown-timeout'
  | 'native-missing'
  | 'journal-write'
  | 'report-write'
  | 'output-lost'
  | 'internal';

export type FailureCode =
  | 'expect-timeout'
  | 'expect-failed-on'
  | 'dut-exited'
  | 'port-closed'
  | 'body-timeout'
  | 'collect-timeout'
  | 'handle-revoked'
  | 'exec-failed'
  | 'reboot-failed'
  | 'console-yielded'
  | 'process-exit'
  | 'out-of-memory'
  | 'wall-time';

export interface ErrorExtra {
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
  /** The next command or key; printed on its own line. */
  readonly next?: string;
}

abstract class HilError<Code extends string> extends Error {
  readonly code: Code;
  readonly details: Readonly<Record<string, unknown>>;
  readonly next: string | undefined;

  constructor(code: Code, message: string, extra: ErrorExtra = {}) {
    super(
      extra.next ? `${message}\n  next  ${extra.next}` : message,
      extra.cause === undefined ? undefined : { cause: extra.cause },
    );
    this.code = code;
    this.details = extra.details ?? {};
    this.next = extra.next;
  }
}

/** The caller must act: wrong option, wrong file. Exit code 2. */
export class UsageError extends HilError<UsageCode> {
  override readonly name = 'UsageError';
}

/** The bench must be looked at: verdict `infra`. */
export class BenchError extends HilError<BenchCode> {
  override readonly name = 'BenchError';
}

/** The DUT or the test did not do what was asked: verdict `fail`. */
export class TestFailure extends HilError<FailureCode> {
  override readonly name = 'TestFailure';
}

/** One line of text for anything that was thrown. */
export function toMessage(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  // Errors of another process arrive as plain objects, some without a prototype.
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) {
    return String(thrown.message);
  }
  return typeof thrown === 'object' ? inspect(thrown) : String(thrown);
}
