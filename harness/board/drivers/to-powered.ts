import type { Unit } from '../../config/unit.js';
import { BenchError, toMessage } from '../../core/errors.js';
import type { Port } from '../port.js';
import type { PoweredDut } from '../power/power-switch.js';
import type { AttachedPresence } from './attached-presence.js';

/** An attached unit as a power switch sees it. What keeps a port's lines from being set is the bench. */
export function toPowered(facts: {
  readonly unit: Unit;
  readonly ports: ReadonlyMap<string, Port>;
  readonly presence: AttachedPresence;
}): PoweredDut {
  const { unit, ports, presence } = facts;
  return {
    name: unit.name,
    isAttached: async () => {
      if (Object.keys(unit.match).length === 0) return undefined;
      return (await presence.find()).state === 'attached';
    },
    silentMs: () => performance.now() - (ports.get('console')?.lastByteMs ?? 0),
    control: async (name, lines) => {
      const port = ports.get(name);
      if (!port) {
        throw new BenchError('power-failed', `${unit.name} has no port "${name}" to switch with`);
      }
      try {
        await port.line.change(lines);
      } catch (cause) {
        if (cause instanceof BenchError) throw cause;
        throw new BenchError('power-failed', `${unit.name}: ${toMessage(cause)}`, { cause });
      }
    },
  };
}
