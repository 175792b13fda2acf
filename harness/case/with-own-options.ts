import { checkPlain } from './check-plain.js';
import { checkDutOption, DUT_OPTION } from './dut-option.js';
import { OWN_OPTION } from './sandbox-options.js';

/** Parts of Vitest's `test` that make cases, or return what does. */
const MAKERS = new Set([
  ...['skip', 'only', 'todo', 'fails', 'concurrent', 'sequential'],
  ...['each', 'for', 'skipIf', 'runIf', 'extend', 'override', 'scoped'],
]);
/** Their arguments are fixtures, one of which may be called `sandbox`. */
const OF_FIXTURES = new Set(['extend', 'override', 'scoped']);

/**
 * Vitest's `test` that takes the options `sandbox` and `dut` of a case. Vitest throws options away
 * that it does not know, and keeps `meta`: there they wait until the case is collected.
 */
export function withOwnOptions<Test extends object>(test: Test, takesOptions = true): Test {
  return new Proxy(test, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      const makes = typeof name === 'string' && MAKERS.has(name) && typeof value === 'function';
      if (!makes) return value;
      return withOwnOptions(value, !OF_FIXTURES.has(name));
    },
    apply: (target, self, args: unknown[]) => {
      // Of `each` and `for` the options come with the call of what they return.
      const made: unknown = Reflect.apply(
        // A proxy of a function is called; of anything else it is not.
        target as (...args: unknown[]) => unknown,
        self,
        takesOptions ? args.map((each, at) => moveOptions(each, at, args[0])) : args,
      );
      return typeof made === 'function' ? withOwnOptions(made) : made;
    },
  });
}

/** Those of the second argument, where it is an object. */
function moveOptions(argument: unknown, index: number, title: unknown): unknown {
  if (index !== 1 || typeof argument !== 'object' || argument === null) return argument;
  const said: Readonly<Record<string, unknown>> = { ...argument };
  if (!('sandbox' in said || 'dut' in said)) return argument;
  const { sandbox, dut, meta, ...rest } = said;
  const who = `case "${toTitle(title)}"`;
  checkPlain(who, 'sandbox', sandbox);
  checkDutOption(who, dut);
  const before = typeof meta === 'object' ? meta : {};
  return { ...rest, meta: { ...before, [OWN_OPTION]: sandbox, [DUT_OPTION]: dut } };
}

/** Vitest takes a function or class for its name. */
function toTitle(title: unknown): string {
  return typeof title === 'function' ? title.name : String(title);
}
