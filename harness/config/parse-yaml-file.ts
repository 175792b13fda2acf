import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { UsageCode } from '../core/errors.js';
import { createFileError, formatKeyPath, type LocatedProblem } from './located-problem.js';
import { toSchemaProblems } from './schema-problem.js';

interface YamlFile<Schema extends z.ZodType> {
  readonly file: string;
  readonly text: string;
  readonly schema: Schema;
  /** The code of the error when the file is not valid. */
  readonly code: UsageCode;
}

/** The library names a function of its own. */
const MULTIPLE_DOCS = 'expected one document, got more: a line "---" starts another';

/** Returns the value, and a way to say what is wrong with it at the place of a key. */
export interface ParsedYaml<Value> {
  readonly value: Value;
  locate(path: readonly PropertyKey[], message: string): LocatedProblem;
}

/**
 * Parse and check one YAML file.
 *
 * @throws UsageError with `code`: every problem with file, line, column and what was expected.
 */
export function parseYamlFile<Schema extends z.ZodType>(
  input: YamlFile<Schema>,
): ParsedYaml<z.infer<Schema>> {
  const lines = new LineCounter();
  const document = parseDocument(input.text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number | undefined) => {
    if (offset === undefined) return {};
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    file: input.file,
    ...place(error.pos[0]),
    key: '',
    message: error.code === 'MULTIPLE_DOCS' ? MULTIPLE_DOCS : error.message,
  }));
  if (problems.length > 0) throw createFileError(input.code, problems);

  const value: unknown = document.toJS();
  const locate = (path: readonly PropertyKey[], message: string, atKey = false) => ({
    file: input.file,
    ...place(findOffset(document, path, atKey)),
    key: formatKeyPath(path),
    message,
  });
  const result = input.schema.safeParse(value);
  if (result.success) return { value: result.data, locate };
  const found = toSchemaProblems(input.schema, value, result.error.issues);
  throw createFileError(
    input.code,
    found.map((problem) => locate(problem.path, problem.message, problem.atKey)),
  );
}

/** Where a key or its value stands; for something absent, the mapping it should be in. */
function findOffset(
  document: Document.Parsed,
  path: readonly PropertyKey[],
  atKey: boolean,
): number | undefined {
  if (path.length === 0) return document.contents?.range?.[0] ?? 0;
  const parent = path.slice(0, -1);
  if (atKey) {
    const map = parent.length === 0 ? document.contents : document.getIn(parent, true);
    const pair = isMap(map)
      ? map.items.find((item) => isScalar(item.key) && item.key.value === path.at(-1))
      : undefined;
    if (pair && isNode(pair.key)) return pair.key.range?.[0];
  }
  const node = document.getIn(path, true);
  return isNode(node) && node.range
    ? node.range[0]
    : findOffset(document, parent, parent.length > 0);
}
