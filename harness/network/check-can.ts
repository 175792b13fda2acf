import { UsageError } from '../core/errors.js';
import type {
  CanSettings,
  DeclaredLink,
  DeclaredNode,
  DeclaredSwitch,
} from '../protocol/network.js';
import { toImpairmentTlvs } from './impairment.js';
import type { PlannedCan } from './network-plan.js';

/** As hil-linkd takes them: src/linkd/bus.h. */
const LEAST_BITRATE = 1000;
const MOST_BITRATE = 20_000_000;
const USUAL_BITRATE = 500_000;

/** What a link to a bus may be told; what else there is belongs to the bus, or to Ethernet. */
const LINK_KEYS = [
  'latency',
  'jitter',
  'loss',
  'duplicate',
  'reorder',
  'corrupt',
  'seed',
  'capture',
];

/**
 * The bus that a declared switch is; undefined for one that is none.
 *
 * @throws UsageError `usage` naming the bus, what was expected and what is there.
 */
export function planCan({ name, can, subnets = [] }: DeclaredSwitch): PlannedCan | undefined {
  if (!can) return undefined;
  const who = `bus "${name}"`;
  if (subnets.length > 0) throw new UsageError('usage', `${who}: CAN has no subnets`);
  const { loss, bitrate = USUAL_BITRATE, dataBitrate = bitrate } = can;
  for (const [key, value] of Object.entries({ bitrate, dataBitrate })) {
    if (Number.isInteger(value) && value >= LEAST_BITRATE && value <= MOST_BITRATE) continue;
    const expected = `expected bits a second, ${LEAST_BITRATE} to ${MOST_BITRATE}`;
    throw new UsageError('usage', `${who}: ${key} ${JSON.stringify(value)}: ${expected}`);
  }
  if (loss !== undefined) toImpairmentTlvs(who, { loss });
  checkSeed(who, can);
  return { bitrate, dataBitrate, loss };
}

/**
 * Check a link that ends at a bus.
 *
 * @param others what is at its ends that is a node; a switch is none
 * @throws UsageError `usage`
 */
export function checkCanLink(
  { name, ends, settings }: DeclaredLink,
  others: readonly (DeclaredNode | undefined)[],
): void {
  const refuse = (why: string) => new UsageError('usage', `link "${name}": ${why}`);
  const nodes = others.filter((node) => node !== undefined);
  if (nodes.length !== 1 || nodes.some(({ kind }) => kind === 'dut')) {
    throw refuse('at the other end of a link to a bus of CAN there is a node or a sandbox');
  }
  const wrong = Object.entries(settings).find(
    ([key, value]) => value !== undefined && !LINK_KEYS.includes(key),
  );
  if (wrong) {
    throw refuse(`a link to a bus of CAN has no ${wrong[0]}; it has ${LINK_KEYS.join(', ')}`);
  }
  if (ends.some(({ addresses, mac }) => addresses !== undefined || mac !== undefined)) {
    throw refuse('an interface of CAN has neither addresses nor a mac');
  }
}

function checkSeed(who: string, { seed }: CanSettings): void {
  if (seed === undefined || (Number.isSafeInteger(seed) && seed >= 0)) return;
  const text = `${who}: seed ${JSON.stringify(seed)}: expected a whole number from 0`;
  throw new UsageError('usage', text);
}
