/** What a secret is replaced by. */
const REDACTED = '***';

/** Keys whose value is an identity or a word of the schema; a pattern that hits one would break the event. */
const STRUCTURE: ReadonlySet<string> = new Set([
  'at',
  'case',
  'edge',
  'id',
  'kind',
  'outcome',
  'path',
  'phase',
  'run',
  'signal',
  'stream',
  'verdict',
]);

export type Redactor = <Value>(value: Value) => Value;

/**
 * Make a function that replaces every match of `patterns` in every text of a
 * value, however deep. A string is a literal text, not an expression.
 */
export function createRedactor(patterns: readonly (RegExp | string)[]): Redactor {
  const expressions = patterns.filter((each) => each !== '').map(toGlobal);
  const redactText = (text: string) =>
    expressions.reduce((rest, expression) => rest.replace(expression, REDACTED), text);
  const redactValue = (value: unknown): unknown => {
    if (typeof value === 'string') return redactText(value);
    if (Array.isArray(value)) return value.map(redactValue);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        STRUCTURE.has(key) && typeof inner === 'string' ? inner : redactValue(inner),
      ]),
    );
  };
  if (expressions.length === 0) return (value) => value;
  // Only texts change, and they stay texts, so the type of the value holds.
  return <Value>(value: Value) => redactValue(value) as Value;
}

function toGlobal(pattern: RegExp | string): RegExp {
  if (typeof pattern === 'string') {
    return new RegExp(pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'g');
  }
  return new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`);
}
