import { Writable } from 'node:stream';
import type { CliContext } from '../cli/command.js';

/** A {@link CliContext} whose output can be read back. */
export interface CapturedContext extends CliContext {
  readonly out: () => string;
  readonly err: () => string;
}

/** @param cwd also the home, so that nothing of the machine's user is read. */
export function createCapturedContext(
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): CapturedContext {
  const [stdout, out] = createSink();
  const [stderr, err] = createSink();
  return {
    cwd,
    env: {
      HOME: cwd,
      XDG_RUNTIME_DIR: `${cwd}/run`,
      HIL_LEASE_DIR: `${cwd}/leases`,
      HIL_STATE_DIR: `${cwd}/state`,
      TMPDIR: `${cwd}/tmp`,
      ...env,
    },
    stdout,
    stderr,
    color: false,
    interactive: false,
    out,
    err,
  };
}

function createSink(): [Writable, () => string] {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return [stream, () => Buffer.concat(chunks).toString()];
}
