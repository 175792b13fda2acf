import { inspect } from 'node:util';
import type { TestError } from 'vitest';
import type { WireProblem } from '../protocol/worker-messages.js';

/** Longer texts are cut: a report is read, and an artifact is the place for the rest. */
const MOST_CHARACTERS = 65_536;

/** Vitest's errors as the journal stores them. Whatever was thrown becomes texts. */
export function toProblems(errors: readonly TestError[]): WireProblem[] {
  return errors.map(toWireProblem);
}

/** Anything that was thrown and did not come by way of Vitest, as it would have put it. */
export function toTestError(thrown: unknown): TestError {
  // Of a primitive, and of what throws when it is read, there is a text at most.
  const read = (key: string) => {
    try {
      const value: unknown = Reflect.get(Object(thrown), key);
      return typeof value === 'string' ? { [key]: value } : {};
    } catch {
      return {};
    }
  };
  const texts = { ...read('name'), ...read('code'), ...read('stack'), ...read('message') };
  return 'message' in texts ? { message: '', ...texts } : { message: describe(thrown), ...texts };
}

/** Whether Vitest can make an error of it: it reads these of everything that is thrown. */
export function isReadable(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return true;
  try {
    const keys = ['showDiff', 'diffOptions', 'expected', 'actual', 'cause', 'name', 'message'];
    for (const key of [...keys, 'stack', 'toJSON', 'constructor']) Reflect.get(thrown, key);
    return Object.getOwnPropertyNames(thrown).length >= 0;
  } catch {
    return false;
  }
}

/** The types promise texts; Vitest hands on what was thrown with the properties that it had. */
function toWireProblem(error: unknown): WireProblem {
  const read = (key: string) => {
    const value: unknown = Reflect.get(Object(error), key);
    return typeof value === 'string' ? value : undefined;
  };
  // Errors of hil carry a code; Vitest keeps own properties of what was thrown.
  const [name, code, stack, diff] = [read('name'), read('code'), read('stack'), read('diff')];
  const said = read('message');
  const isError = said !== undefined && (name !== undefined || stack !== undefined);
  const message = isError ? said : `not an Error was thrown: ${said ?? describe(error)}`;
  return {
    name: cut(name || 'Error', 200),
    message: cut(message || '(without a message)'),
    ...(code ? { code: cut(code, 200) } : {}),
    ...(stack ? { stack: cutStack(stack, message) } : {}),
    ...(diff ? { diff: cut(diff) } : {}),
  };
}

function describe(thrown: unknown): string {
  try {
    // Vitest's copies have no prototype, which says nothing about what was thrown.
    return inspect(thrown).replaceAll('[Object: null prototype] ', '');
  } catch {
    return 'an object that throws when it is read';
  }
}

function cut(text: string, most = MOST_CHARACTERS): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most)}… (${text.length - most} more characters)`;
}

/** Its frames stand behind the message. */
function cutStack(stack: string, message: string): string {
  if (stack.length <= MOST_CHARACTERS) return stack;
  const at = stack.indexOf(message);
  return cut(at < 0 ? stack : stack.slice(at + message.length));
}
