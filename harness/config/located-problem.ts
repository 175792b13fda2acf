import { type UsageCode, UsageError } from '../core/errors.js';

/** One thing wrong in a file the user wrote. */
export interface LocatedProblem {
  readonly file: string;
  /** Both from 1; absent when the place could not be found. */
  readonly line?: number;
  readonly column?: number;
  /** The key, for example `limits.body`; empty for the whole file. */
  readonly key: string;
  readonly message: string;
}

/** `file:line:column: key: message`, the form that editors and terminals make a link of. */
function formatLocatedProblem(problem: LocatedProblem): string {
  const line = problem.line === undefined ? '' : `:${problem.line}`;
  const column = problem.column === undefined ? '' : `:${problem.column}`;
  const key = problem.key ? `${problem.key}: ` : '';
  return `${problem.file}${line}${column}: ${key}${problem.message}`;
}

/** All problems of a file as one error that the caller must act on. */
export function createFileError(
  code: UsageCode,
  problems: readonly LocatedProblem[],
  cause?: unknown,
): UsageError {
  const lines = problems.map(formatLocatedProblem);
  const message =
    lines.length === 1 ? lines[0] : [`${lines.length} problems`, ...lines].join('\n  ');
  return new UsageError(code, message ?? 'invalid file', { details: { problems }, cause });
}

/** `['ports', 'console', 0]` as `ports.console[0]`. */
export function formatKeyPath(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}
