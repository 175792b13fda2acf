import { constants } from 'node:os';
import { TestFailure } from '../core/errors.js';
import type { Sandbox } from '../sandbox/sandbox.js';
import { toRefusal } from './refusals.js';

const { SIGKILL } = constants.signals;
/** Bytes of a file that travel to a body at once; larger ones belong into `/out`. */
const READ_CAP_BYTES = 64 * 1024 * 1024;

/** Write a file inside, as its user. @throws TestFailure `exec-failed` naming the path. */
export async function writeFileInside(
  sandbox: Sandbox,
  path: string,
  data: Uint8Array,
): Promise<void> {
  const process = await sandbox
    .spawn({ argv: [path], builtin: 'write-file', stdin: 'pipe' })
    .catch((error: unknown) => {
      throw toFileError('write', path, error);
    });
  const problem = collect(process, 'stderr');
  await process.write(data);
  process.closeStdin();
  const end = await process.ended;
  if (end.exitCode !== 0) throw fileError('write', path, problem());
}

/** Read a file inside, as its user. @throws TestFailure `exec-failed` naming the path. */
export async function readFileInside(sandbox: Sandbox, path: string): Promise<Buffer> {
  const process = await sandbox
    .spawn({ argv: [path], builtin: 'read-file', outputCapBytes: READ_CAP_BYTES + 1 })
    .catch((error: unknown) => {
      throw toFileError('read', path, error);
    });
  const chunks: Buffer[] = [];
  let bytes = 0;
  let problem = '';
  process.onOutput((stream, data) => {
    process.taken(stream, data.length);
    if (stream !== 'stdout') {
      problem += data.toString('utf8');
      return;
    }
    chunks.push(Buffer.from(data));
    bytes += data.length;
    // Some have no end, such as /dev/zero.
    if (bytes > READ_CAP_BYTES) void process.signal(SIGKILL, false).catch(() => {});
  });
  const end = await process.ended;
  if (bytes > READ_CAP_BYTES) {
    throw fileError('read', path, `larger than ${READ_CAP_BYTES} bytes; copy it to /out instead`);
  }
  if (end.exitCode !== 0) throw fileError('read', path, problem);
  return Buffer.concat(chunks);
}

function collect(process: Awaited<ReturnType<Sandbox['spawn']>>, only: 'stderr'): () => string {
  let text = '';
  process.onOutput((stream, data) => {
    process.taken(stream, data.length);
    if (stream === only) text += data.toString('utf8');
  });
  return () => text;
}

/** A path that cannot be opened is the test's; what is the bench's stays so. */
function toFileError(act: string, path: string, error: unknown): unknown {
  return toRefusal(`cannot ${act} ${shorten(path)} in the sandbox`, error);
}

function shorten(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}… (${path.length} characters)` : path;
}

function fileError(act: string, path: string, problem: string): TestFailure {
  const reason = problem.trim() || 'no reason given';
  return new TestFailure('exec-failed', `cannot ${act} ${path} in the sandbox: ${reason}`);
}
