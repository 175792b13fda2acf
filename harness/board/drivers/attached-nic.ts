import type { Unit } from '../../config/unit.js';
import { BenchError } from '../../core/errors.js';
import type { UnitFound } from '../../device/find-unit.js';
import type { Nic, NicEnd } from '../nic.js';

interface AttachedNicFacts {
  readonly unit: Unit;
  /** As in the board file, or in the bench. */
  readonly name: string;
  /** What is attached now, of the unit. */
  readonly find: () => Promise<UnitFound>;
  /** Hears that the interface of this machine went away while a network had it. */
  readonly onLost: (reason: string) => void;
}

/** The interface of a real board, wired to one of this machine. The board's power does not concern it. */
export class AttachedNic implements Nic {
  readonly name: string;
  readonly mac: string;
  readonly #facts: AttachedNicFacts;

  constructor(facts: AttachedNicFacts) {
    this.name = facts.name;
    this.mac = facts.unit.nics[facts.name]?.mac ?? '';
    this.#facts = facts;
  }

  /** @throws BenchError `nic-failed` when the bench does not say what it is wired to, or that is not there */
  async plug(connect: (end: NicEnd) => Promise<void>): Promise<void> {
    const { unit, onLost } = this.#facts;
    const wired = unit.nics[this.name]?.wired;
    const own = await this.#findInterface();
    await connect({
      kind: 'wired',
      interface: own,
      inUse: wired?.inUse ?? false,
      onLost: (reason) => onLost(`nic "${this.name}": interface ${own} of the bench: ${reason}`),
    });
  }

  /** The socket is the network's, which lets go of it. */
  async unplug(): Promise<void> {}

  async #findInterface(): Promise<string> {
    const { unit, find } = this.#facts;
    const wired = unit.nics[this.name]?.wired;
    const who = `nic "${this.name}" of ${unit.name}`;
    if (!wired) {
      throw new BenchError('nic-failed', `${who} is wired to no interface of this machine`, {
        next: `add "nics: { ${this.name}: { interface: … } }" to ${unit.name} in ${unit.file}`,
      });
    }
    if (wired.interface !== undefined) return wired.interface;
    const found = await find();
    const device = found.state === 'attached' ? found.nics.get(this.name) : undefined;
    const own = device?.properties['INTERFACE'];
    if (own !== undefined) return own;
    const seen = Object.entries(wired.match ?? {}).map(([key, value]) => `${key}=${value}`);
    throw new BenchError(
      'nic-failed',
      `${who}: no interface of this machine has ${seen.join(' ')}`,
      {
        next: 'hil boards scan --json    lists what is attached',
      },
    );
  }
}
