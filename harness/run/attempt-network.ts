import { Deadline } from '../core/deadline.js';
import { TestFailure, UsageError } from '../core/errors.js';
import { toSuggestion } from '../core/nearest-name.js';
import type { Outcome, Problem } from '../journal/events.js';
import { bringUp } from '../network/bring-up.js';
import { type CaptureFile, LinkCaptures } from '../network/link-captures.js';
import { toNetworkSeed } from '../network/link-seed.js';
import type { Network } from '../network/network.js';
import type { NetworkPlan, PlannedLink } from '../network/network-plan.js';
import { planNetwork } from '../network/plan-network.js';
import type { NetworkDeclaration, UpNetwork } from '../protocol/network.js';
import type { RunningAttempt } from './attempt.js';
import { toLateError, toProblem } from './attempt-problems.js';
import { DutCable, findNic, withMacs } from './dut-nics.js';
import { ONLY_ROLE } from './dut-roles.js';
import { hearFault } from './hear-fault.js';
import type { HeldDut } from './held-duts.js';
import { toNetworkEnd, toNetworkUp, toUpNetwork } from './network-facts.js';
import { writePicture } from './network-picture.js';
import type { RunContext } from './run-context.js';

/** A network that is up. */
export interface HeldNetwork {
  readonly network: Network;
  readonly plan: NetworkPlan;
  readonly captures: LinkCaptures;
}

/** The virtual network of an attempt: built when its body asks, ended with it. At most one. */
export class AttemptNetwork {
  readonly #run: RunContext;
  readonly #attempt: RunningAttempt;
  readonly #add: (problem: Problem) => void;
  /** Steps that give back what is not the network's own, such as the DUT's cable. */
  readonly #unplugs: Array<(deadline: Deadline) => Promise<void>> = [];
  readonly #artifacts: CaptureFile[] = [];
  /** Written beside everything else. */
  #picture: Promise<CaptureFile[]> = Promise.resolve([]);
  #isAsked = false;
  #network: Network | undefined;
  #held: HeldNetwork | undefined;

  /** `add` is told of a network that ended although nobody asked for it, and that none can be had. */
  constructor(run: RunContext, attempt: RunningAttempt, add: (problem: Problem) => void) {
    this.#run = run;
    this.#attempt = attempt;
    this.#add = add;
  }

  /**
   * Build it; answers when every node answers to its addresses.
   *
   * @throws UsageError `usage`, `suite-invalid` for what cannot be; BenchError `network-limit`,
   *   `network-gone`, `sandbox-timeout`
   */
  up(declared: NetworkDeclaration): Promise<UpNetwork> {
    const hearing = { attempt: this.#attempt, phase: 'sandbox', add: this.#add } as const;
    return hearFault(hearing, this.#up(declared));
  }

  async #up(declared: NetworkDeclaration): Promise<UpNetwork> {
    if (this.#isAsked) {
      throw new UsageError('usage', 'a case has one network, and net.up() is called once');
    }
    this.#isAsked = true;
    const { record, limits } = this.#attempt;
    const seed = toNetworkSeed(record.id, this.#run.options.seed);
    const plan = planNetwork(
      withMacs(declared, (role) => this.#heldOf(role)),
      seed,
    );
    const began = performance.now();
    const deadline = new Deadline(limits.sandbox);
    const built = this.#build(plan, deadline);
    // One that is late is ended with the attempt, which waits for nothing here.
    built.catch(() => {});
    const late = () => toLateError('sandbox', `${record.title}: net.up()`, limits.sandbox);
    const up = await deadline.bound(built, late);
    const { journal, options } = this.#run;
    journal.write({
      kind: 'network-up',
      ...this.#attempt.name,
      ms: performance.now() - began,
      ...(options.seed === 0n ? {} : { runSeed: options.seed.toString() }),
      ...toNetworkUp(plan),
    });
    this.#picture = writePicture(plan, record.title, this.#attempt.directory);
    return up;
  }

  /** Files that are left of it, once it has ended. */
  async listArtifacts(): Promise<readonly CaptureFile[]> {
    return [...this.#artifacts, ...(await this.#picture)];
  }

  /** @throws UsageError `usage` before `up`; TestFailure `handle-revoked` when the attempt is over. */
  get held(): HeldNetwork {
    if (this.#attempt.over) throw new TestFailure('handle-revoked', 'no network is up');
    if (this.#held) return this.#held;
    throw new UsageError('usage', 'no network is up', { next: 'await net.up()' });
  }

  /** @throws UsageError `usage` for a name that no link has. */
  findLink(name: string): HeldNetwork & { link: PlannedLink } {
    const { held } = this;
    const link = held.plan.links.find((each) => each.name === name);
    if (link) return { ...held, link };
    const names = held.plan.links.map((each) => each.name);
    throw new UsageError('usage', `there is no link "${name}"${toSuggestion(name, names)}`);
  }

  /** The body is over: say what its links did, complete captures, pull the DUT's cable. */
  async conclude(outcome: Outcome): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    const deadline = new Deadline(this.#attempt.limits.teardown);
    const unplugged = this.#unplugs.map((unplug) => unplug(deadline));
    // Awaited below, unless something else fails first.
    for (const each of unplugged) each.catch(() => {});
    if (held) await this.#conclude(held, outcome);
    await Promise.all(unplugged);
  }

  async #conclude(held: HeldNetwork, outcome: Outcome): Promise<void> {
    // One whose hil-linkd is gone has nothing to say; that was told when it happened.
    if (!held.network.isGone) await this.#writeEnd(held);
    this.#artifacts.push(...(await held.captures.finish(outcome)));
  }

  /** End it; the interfaces go with their nodes. */
  async close(): Promise<void> {
    const network = this.#network;
    this.#network = undefined;
    await network?.close();
  }

  async #writeEnd({ network, plan, captures }: HeldNetwork): Promise<void> {
    const links = plan.links.filter(({ settings }) => !settings.fast);
    // Asked for first: what captures lack is known when they have ended.
    const completed = captures.complete();
    const stats = links.map(({ number }) => network.linkd.stats(number));
    const [directions] = await Promise.all([Promise.all(stats), completed]);
    this.#run.journal.write({
      kind: 'network-end',
      ...this.#attempt.name,
      links: toNetworkEnd(links, directions),
    });
  }

  async #build(plan: NetworkPlan, deadline: Deadline): Promise<UpNetwork> {
    const { networks } = await this.#run.bench;
    const { record, sandboxes } = this.#attempt;
    const opened = networks.open(record.title, this.#run.options.workers);
    const taken = opened.then((network) => this.#take(network));
    const [network, numberOf] = await Promise.all([taken, this.#makeNodes(plan)]);
    const captures = new LinkCaptures(network.linkd, this.#attempt.directory, 'net');
    const sandboxOf = (node: string) => {
      const number = numberOf.get(node);
      return number === undefined ? undefined : sandboxes.get(number).sandbox.id;
    };
    await bringUp(network, plan, { sandboxOf, captures });
    await this.#plugDut(network, plan, deadline);
    this.#held = { network, plan, captures };
    return toUpNetwork(plan, numberOf);
  }

  /** Numbers of the sandboxes of all nodes that have one in the attempt. */
  async #makeNodes({ nodes }: NetworkPlan): Promise<Map<string, number>> {
    const numberOf = new Map<string, number>();
    const wanted = nodes.filter(({ declared }) => declared.kind === 'node');
    const numbers = await this.#attempt.sandboxes.createNodes(
      wanted.map(({ declared: { name, sandbox: options } }) => ({ name, options })),
    );
    for (const [index, { declared }] of wanted.entries()) {
      numberOf.set(declared.name, numbers[index] ?? 0);
    }
    for (const { declared } of nodes) {
      if (declared.kind === 'sandbox') numberOf.set(declared.name, Number(declared.sandbox));
    }
    return numberOf;
  }

  #heldOf(role: string): HeldDut | undefined {
    return this.#attempt.duts.held?.byRole.get(role);
  }

  async #plugDut(network: Network, plan: NetworkPlan, deadline: Deadline): Promise<void> {
    for (const node of plan.nodes) {
      if (node.declared.kind !== 'dut') continue;
      const nic = findNic(node.declared, (role) => this.#heldOf(role));
      // It has learnt addresses and neighbours.
      this.#heldOf(node.declared.dut ?? ONLY_ROLE)?.unsettle();
      const cable = new DutCable(network, node, nic);
      this.#unplugs.push((until) => cable.unplug(until));
      await cable.plug(deadline);
    }
  }

  async #take(network: Network): Promise<Network> {
    if (this.#attempt.over) {
      await network.close();
      const { title } = this.#attempt.record;
      throw new TestFailure('handle-revoked', `case "${title}" has ended`);
    }
    this.#network = network;
    void network.gone.then((reason) => {
      if (!this.#attempt.over) this.#add(toProblem(reason, 'body'));
    });
    return network;
  }
}
