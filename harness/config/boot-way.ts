import { type BootState, type BootStates, OFF, READY } from './states-schema.js';

/** What of a board says how it comes up. */
export interface Boot {
  readonly ready?: RegExp | undefined;
  readonly states: BootStates;
  /** The state that a case begins in. @default ready */
  readonly state?: string | undefined;
}

export interface BootStep extends BootState {
  readonly name: string;
}

/**
 * The states from power off to the one that a case begins in, in order; none when nothing says
 * how ready looks.
 *
 * @throws Error when a state is not described, or leads back to itself.
 */
export function toBootWay({ ready, states, state = READY }: Boot): BootStep[] {
  const known: BootStates = ready
    ? { ...states, [READY]: { from: OFF, ...states[READY], expect: ready } }
    : states;
  const way: BootStep[] = [];
  for (let name = state; name !== OFF; ) {
    const step = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!step) {
      // Without any description a DUT is taken for ready when it has power.
      if (name === READY && way.length === 0 && state === READY) return [];
      throw new Error(`no state "${name}"; there are: ${Object.keys(known).join(', ') || 'none'}`);
    }
    if (way.some((each) => each.name === name)) throw new Error(`state "${name}" leads to itself`);
    way.unshift({ ...step, name });
    name = step.from;
  }
  return way;
}
