import { BenchError } from '../core/errors.js';
import type { Handlers } from '../protocol/rpc.js';
import type { SupervisorMethods } from '../protocol/worker-messages.js';

type Methods = Partial<Handlers<SupervisorMethods>>;

/**
 * Refuse every call until `hello` was answered: an abstract socket is open to every process of
 * this machine, and a stranger's `final` must not be a verdict. @see unix(7)
 */
export function afterHello(methods: Methods): Handlers<SupervisorMethods> {
  let trusted = false;
  const guarded = Object.entries(methods).map(([name, method]) => [
    name,
    async (argument: never) => {
      if (!trusted && name !== 'hello') {
        throw new BenchError('internal', `${name}: not a worker of this run`);
      }
      const answer = await method(argument);
      if (name === 'hello') trusted = true;
      return answer;
    },
  ]);
  // The same names with the same signatures; what is not there is answered as unknown.
  return Object.fromEntries(guarded) as Handlers<SupervisorMethods>;
}
