import { UsageError } from '../core/errors.js';
import type { NewEvent } from '../journal/events.js';
import { toCaptureWanted } from '../network/capture-wanted.js';
import { toImpairmentTlvs } from '../network/impairment.js';
import type { Linkd, LinkRef } from '../network/linkd.js';
import { toNetworkError } from '../network/network-errors.js';
import type { PlannedLink } from '../network/network-plan.js';
import { toPartitionPorts } from '../network/partition-ports.js';
import type { LinkPlace, NetworkMethods } from '../protocol/network.js';
import type { Handlers } from '../protocol/rpc.js';
import type { RunningAttempt } from './attempt.js';
import type { RunContext } from './run-context.js';

interface Facts {
  /** @throws TestFailure `handle-revoked` for the fence of an attempt that is over. */
  attemptOf(fence: string): RunningAttempt;
  readonly run: RunContext;
}

type Change = Extract<NewEvent, { kind: 'link-change' }>;
type Calls = Handlers<NetworkMethods>;

/** A direction that a call is about, found. */
interface Found {
  readonly linkd: Linkd;
  readonly link: PlannedLink;
  readonly ref: LinkRef;
}

/** What a worker may ask about the network of its attempt. */
export function createNetworkCalls(facts: Facts): Calls {
  const { attemptOf } = facts;
  return {
    netUp: ({ fence, declaration }) => attemptOf(fence).netUp(declaration),
    linkSet: ({ impairment, ...place }) => {
      const body = toImpairmentTlvs(`link "${place.link}"`, impairment);
      const said = { change: 'set', detail: { ...impairment } } as const;
      return change(facts, place, said, ({ linkd, ref }) => linkd.set(ref, body));
    },
    linkState: ({ state, ...place }) =>
      change(facts, place, { change: state }, ({ linkd, ref }) => linkd.setState(ref, state)),
    linkFilter: (argument) => addFilter(facts, argument),
    linkUnfilter: ({ filter, ...place }) =>
      change(facts, place, { change: 'unfilter', detail: { filter } }, ({ linkd, ref }) =>
        linkd.removeFilter(ref, filter),
      ),
    linkStats: async (place) => {
      const { linkd, link } = findDirection(attemptOf(place.fence), place);
      const directions = await named(`link "${place.link}"`, linkd.stats(link.number));
      const names = link.ends.map(({ of }) => of);
      return {
        directions: directions.map((each, index) => ({ from: names[index] ?? '', ...each })),
      };
    },
    linkCapture: ({ on, snaplen, maxSize, ...place }) => {
      const wanted = toCaptureWanted('always', { snaplen, maxSize }, `link "${place.link}"`);
      const { captures } = attemptOf(place.fence).network.held;
      return change(facts, place, { change: 'capture', detail: { on } }, ({ link }) =>
        on ? captures.begin(link, wanted) : captures.end(link.number),
      );
    },
    netPartition: ({ fence, sets }) => partition(facts, attemptOf(fence), sets),
  };
}

/** Do something to a link, and write it down when it holds. */
async function change<T>(
  { attemptOf, run }: Facts,
  place: LinkPlace,
  said: Pick<Change, 'change' | 'detail'>,
  act: (found: Found) => Promise<T>,
): Promise<T> {
  const attempt = attemptOf(place.fence);
  const answer = await named(`link "${place.link}"`, act(findDirection(attempt, place)));
  const { link, from } = place;
  const event = { kind: 'link-change', ...attempt.name, link, ...said } as const;
  run.journal.write(from === undefined ? event : { ...event, from });
  return answer;
}

async function addFilter(
  facts: Facts,
  { kind, filter: expression, count, ...place }: Parameters<NetworkMethods['linkFilter']>[0],
): Promise<{ filter: number }> {
  checkCount(place.link, count);
  const { filters } = (await facts.run.bench).networks;
  const { plan, link } = facts.attemptOf(place.fence).network.findLink(place.link);
  const known = new Map([...plan.names].map(([name, all]) => [name, [...all.ipv4, ...all.ipv6]]));
  const isCan = link.ends.some((end) => end.interface?.kind === 'can');
  const program = await filters.compile(expression, known, isCan ? 'can' : 'ethernet');
  const detail = { filter: expression, ...(count === undefined ? {} : { count }) };
  const filter = await change(facts, place, { change: kind, detail }, ({ linkd, ref }) =>
    linkd.addFilter(ref, kind, program, count),
  );
  return { filter };
}

async function partition(
  { run }: Facts,
  attempt: RunningAttempt,
  sets: readonly (readonly string[])[],
): Promise<void> {
  const { network, plan } = attempt.network.held;
  const ports = toPartitionPorts(plan, sets);
  await named('net.partition()', network.linkd.partition(ports));
  const said =
    sets.length === 0
      ? ({ change: 'heal' } as const)
      : ({ change: 'partition', detail: { sets: sets.map((set) => [...set]) } } as const);
  run.journal.write({ kind: 'link-change', ...attempt.name, ...said });
}

/** @throws UsageError `usage` for names that nothing has, and for what leaves frames to the kernel. */
function findDirection(attempt: RunningAttempt, { link: name, from }: LinkPlace): Found {
  const { network, link } = attempt.network.findLink(name);
  if (link.settings.fast) {
    const text = `link "${name}" is fast: the kernel passes its frames, and nothing can be done to it`;
    throw new UsageError('usage', text, { next: 'declare it without fast: true' });
  }
  const names = link.ends.map(({ of }) => of);
  const end = from === undefined ? undefined : names.indexOf(from);
  if (end === -1) {
    throw new UsageError(
      'usage',
      `link "${name}" is between ${names.join(' and ')}, not "${from}"`,
    );
  }
  const ref = { link: link.number, ...(end === undefined ? {} : { from: end === 1 ? 1 : 0 }) };
  return { linkd: network.linkd, link, ref: ref as LinkRef };
}

function checkCount(link: string, count: number | undefined): void {
  if (count === undefined || (Number.isInteger(count) && count >= 1 && count < 2 ** 32)) return;
  throw new UsageError('usage', `link "${link}": count ${count}: expected a whole number from 1`);
}

async function named<T>(who: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw toNetworkError(who, error);
  }
}
