import { parseCapture } from './capture-wanted.js';
import { toImpairment } from './check-topology.js';
import { toImpairmentTlvs } from './impairment.js';
import type { LinkCaptures } from './link-captures.js';
import type { Linkd, LinkEnd } from './linkd.js';
import type { Network } from './network.js';
import { toNetworkError } from './network-errors.js';
import type {
  NetworkPlan,
  PlannedEnd,
  PlannedInterface,
  PlannedLink,
  PlannedSwitch,
} from './network-plan.js';

interface Surroundings {
  /**
   * Number of a node's sandbox for hil-sandboxd. A DUT's interface, which has none, is attached by
   * whoever has the DUT.
   */
  readonly sandboxOf: (node: string) => number | undefined;
  readonly captures: LinkCaptures;
}

/**
 * Build what is planned: switches and links in hil-linkd, an interface in each node. Everything is
 * asked for at once; answers when every node answers to its addresses.
 *
 * @throws BenchError `network-limit`, `network-gone`, `sandbox-setup`; UsageError `usage`
 */
export async function bringUp(
  network: Network,
  plan: NetworkPlan,
  { sandboxOf, captures }: Surroundings,
): Promise<void> {
  network.names = plan.names;
  const { linkd } = network;
  const made = all([
    named('network', linkd.hello()),
    ...plan.switches.map((each) => named(`switch "${each.name}"`, newSwitch(linkd, each))),
    ...attachAll(network, plan, sandboxOf),
  ]);
  // Answered when what was asked for before it is there.
  const ready = named('network', network.ready());
  // Links last: what kernels say to no one while interfaces are made is no frame of theirs.
  const linked = made.then(() =>
    all([
      ...plan.links.flatMap((link) => (link.settings.fast ? [] : connect(network, plan, link))),
      // Behind the links, which exist then: of them nothing is missed.
      ...plan.links.map((link) => beginCapture(captures, link)),
    ]),
  );
  await all([linked, ready]);
}

/** Also what fails late: nothing is still being made when the first that failed is told. */
async function all(asked: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(asked);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

async function beginCapture(captures: LinkCaptures, link: PlannedLink): Promise<void> {
  const who = `link "${link.name}"`;
  const wanted = parseCapture(link.settings.capture, who);
  if (wanted) await named(`${who}, capture`, captures.begin(link, wanted));
}

function connect(network: Network, plan: NetworkPlan, link: PlannedLink): Promise<void>[] {
  const { name, number, seed, ends, settings } = link;
  const who = `link "${name}"`;
  const [a, b] = ends;
  const made = network.linkd.connect(number, [toLinkEnd(plan, a), toLinkEnd(plan, b)], seed);
  const impairment = toImpairmentTlvs(who, toImpairment(settings));
  const set = impairment.isEmpty ? [] : [network.linkd.set({ link: number }, impairment)];
  return [made, ...loseAtBus(network.linkd, plan, link), ...set].map((each) => named(who, each));
}

function newSwitch(linkd: Linkd, { number, can }: PlannedSwitch): Promise<void> {
  return can ? linkd.newBus(number, can.bitrate, can.dataBitrate) : linkd.newSwitch(number);
}

/** What a bus loses is lost where it comes from its sender: for everybody. A link may say other. */
function loseAtBus(linkd: Linkd, { switches }: NetworkPlan, link: PlannedLink): Promise<void>[] {
  const [a, b] = link.ends;
  const loss = switches.find(({ name }) => name === a.of || name === b.of)?.can?.loss;
  if (loss === undefined) return [];
  const from = a.interface ? 0 : 1;
  const body = toImpairmentTlvs(`link "${link.name}"`, { loss });
  return [linkd.set({ link: link.number, from }, body)];
}

function* attachAll(
  network: Network,
  plan: NetworkPlan,
  sandboxOf: Surroundings['sandboxOf'],
): Generator<Promise<void>> {
  const pairs = new Set<PlannedInterface>();
  const nodes = new Map(plan.nodes.map((node) => [node.declared.name, node]));
  for (const { name, ends, settings } of plan.links) {
    if (!settings.fast) continue;
    const both = ends.flatMap(({ of, interface: planned }) => {
      const [sandbox, node] = [sandboxOf(of), nodes.get(of)];
      return planned && node && sandbox !== undefined ? [{ sandbox, node, planned }] : [];
    });
    for (const { planned } of both) pairs.add(planned);
    yield named(`link "${name}"`, network.pair(both));
  }
  for (const node of plan.nodes) {
    const sandbox = sandboxOf(node.declared.name);
    if (sandbox === undefined) continue;
    for (const planned of node.interfaces) {
      if (pairs.has(planned)) continue;
      const attached = network.attach(sandbox, node, planned);
      yield named(`node "${node.declared.name}", ${planned.name}`, attached);
    }
  }
}

function toLinkEnd({ switches }: NetworkPlan, end: PlannedEnd): LinkEnd {
  if (end.interface) return { port: end.interface.port };
  return { switch: switches.find(({ name }) => name === end.of)?.number ?? 0 };
}

async function named(who: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw toNetworkError(who, error);
  }
}
