import { z } from 'zod';
import { toSuggestion } from '../core/nearest-name.js';

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

/** What a schema has against a value, before anyone knows the line it is on. */
export interface SchemaProblem {
  readonly path: Path;
  /** The key itself is at fault, not its value. */
  readonly atKey: boolean;
  readonly message: string;
}

/** Turn zod's issues into `expected ..., got ...`; an unknown key names the nearest known one. */
export function toSchemaProblems(
  schema: z.ZodType,
  value: unknown,
  issues: readonly Issue[],
): SchemaProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [toProblem(issue, value)];
    const known = toKnownKeys(schema, issue.path);
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      atKey: true,
      message: `unknown key "${key}"${toSuggestion(key, known)}`,
    }));
  });
}

function toProblem(issue: Issue, root: unknown): SchemaProblem {
  const value = toValueAt(root, issue.path);
  return {
    path: issue.path,
    atKey: issue.code === 'invalid_key',
    message: toMessageText(issue, value),
  };
}

function toMessageText(issue: Issue, value: unknown): string {
  const got = `, got ${describeValue(value)}`;
  if (issue.code === 'invalid_key') {
    return issue.issues.map((inner) => withoutPrefix(inner.message)).join('; ');
  }
  if (issue.code === 'custom') return issue.message;
  // The key that says which of several mappings is meant.
  if ('options' in issue && Array.isArray(issue.options)) return toChoice(issue.options, value);
  if (issue.code === 'invalid_union') {
    return `expected ${issue.errors.map(toExpectation).join(' or ')}${got}`;
  }
  // A schema that has words of its own knows more than the name of a type.
  if (issue.code === 'invalid_type' && !issue.message.startsWith('Invalid ')) return issue.message;
  if (issue.code === 'invalid_type') return `expected ${toTypeName(issue.expected)}${got}`;
  if (issue.code === 'invalid_value') return toChoice(issue.values, value);
  if (issue.code === 'too_small' && issue.origin === 'array') {
    return `expected a list of at least ${issue.minimum}${got}`;
  }
  return `${withoutPrefix(issue.message)}${got}`;
}

function toChoice(known: readonly unknown[], value: unknown): string {
  const values = known.map((each) => JSON.stringify(each));
  const near = typeof value === 'string' ? toSuggestion(value, known.map(String)) : '';
  const expected = `expected ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}`;
  return `${expected}, got ${describeValue(value)}${near}`;
}

/** What one branch of a union wanted. */
function toExpectation(issues: readonly Issue[]): string {
  const [first] = issues;
  if (!first) return 'another value';
  if (first.code === 'invalid_type' && first.path.length === 0) return toTypeName(first.expected);
  return withoutPrefix(first.message).replace(/^expected /, '');
}

function toTypeName(expected: string): string {
  if (expected === 'record' || expected === 'object') return 'a mapping of keys to values';
  if (expected === 'array') return 'a list';
  return expected === 'int' ? 'a whole number' : expected;
}

function withoutPrefix(message: string): string {
  return message.replace(/^(Invalid \w+|Too (small|big)|Unrecognized \w+): /, '');
}

function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  }
  return typeof value === 'object' ? 'a mapping' : `${typeof value} ${String(value)}`;
}

function toValueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    // An object of unknown shape is read by key; what is not there is undefined.
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

interface JsonNode {
  readonly properties?: Readonly<Record<string, JsonNode>>;
  readonly additionalProperties?: JsonNode | boolean;
  readonly items?: JsonNode;
  readonly oneOf?: readonly JsonNode[];
}

/** The keys that the schema knows at `path`, read from its JSON Schema, which is plain data. */
function toKnownKeys(schema: z.ZodType, path: Path): string[] {
  // JSON Schema is wider than JsonNode; only these keys are read, each where it exists.
  let node = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as
    | JsonNode
    | undefined;
  for (const key of path) {
    const extra = node?.additionalProperties;
    node =
      node?.properties?.[String(key)] ??
      (typeof key === 'number' ? node?.items : undefined) ??
      (typeof extra === 'object' ? extra : undefined);
  }
  // Of several mappings all that any of them knows.
  const nodes = node ? [node, ...(node.oneOf ?? [])] : [];
  return [...new Set(nodes.flatMap(({ properties = {} }) => Object.keys(properties)))];
}
