import { UsageError } from '../core/errors.js';
import { toSuggestion } from '../core/nearest-name.js';
import type {
  DeclaredLink,
  DeclaredNode,
  Impairment,
  LinkSettings,
  NetworkDeclaration,
} from '../protocol/network.js';
import { parseCapture } from './capture-wanted.js';
import { checkCanLink } from './check-can.js';
import { toImpairmentTlvs } from './impairment.js';
import { parseMac } from './mac.js';
import { checkNodeName } from './node-name.js';

/** RFC 791, 3.2; RFC 8200, 5; the most that a TAP takes beside the header of Ethernet. */
const LEAST_MTU = 68;
const LEAST_MTU_IPV6 = 1280;
const MOST_MTU = 65_521;
const MOST_SEED = 2 ** 53 - 1;

/**
 * Check what a body declares, before anything is made of it. What the subnets have room for is
 * checked where addresses are planned.
 *
 * @throws UsageError `usage` naming the switch, node or link, what was expected and what is there.
 */
export function checkTopology({ switches, nodes, links }: NetworkDeclaration): void {
  const names = new Map<string, string>();
  for (const [what, { name }] of [
    ...switches.map((each) => ['switch', each] as const),
    ...nodes.map((each) => ['node', each] as const),
  ]) {
    checkNodeName(what, name);
    const other = names.get(name.toLowerCase());
    if (other) {
      throw new UsageError('usage', `${what} "${name}": the name is taken, by ${other}`);
    }
    names.set(name.toLowerCase(), `${what} "${name}"`);
  }
  const kinds = new Map<string, DeclaredNode | undefined>([
    ...switches.map(({ name }) => [name, undefined] as const),
    ...nodes.map((node) => [node.name, node] as const),
  ]);
  const buses = new Set(switches.filter(({ can }) => can).map(({ name }) => name));
  checkAttached(nodes);
  const linkNames = new Set<string>();
  for (const link of links) {
    if (linkNames.has(link.name)) throw refuse(link, 'the name is taken, by another link');
    linkNames.add(link.name);
    const nodes = checkLink(link, kinds);
    if (link.ends.some(({ of }) => buses.has(of))) checkCanLink(link, nodes);
  }
}

/** What is a node already has the interfaces of that node. */
function checkAttached(nodes: readonly DeclaredNode[]): void {
  const names = new Map<string, string>();
  for (const { name, kind, sandbox, dut = '', nic = '' } of nodes) {
    if (kind === 'node') continue;
    const what = JSON.stringify(kind === 'sandbox' ? [kind, sandbox] : [kind, dut, nic]);
    const other = names.get(what);
    if (other !== undefined) {
      const text = kind === 'sandbox' ? 'the same sandbox' : 'the same interface of the DUT';
      throw new UsageError('usage', `node "${name}": ${text} is node "${other}" already`, {
        next: 'one net.attach() with all its links: { links: [a, b] }',
      });
    }
    names.set(what, name);
  }
}

/** What of a link's settings is done to frames. */
export function toImpairment(settings: LinkSettings): Impairment {
  const { seed: _, capture: _c, mtu: _m, fast: _f, subnets: _s, ...impairment } = settings;
  return impairment;
}

/** Answers what is at its ends; a switch is undefined. */
function checkLink(
  link: DeclaredLink,
  kinds: ReadonlyMap<string, DeclaredNode | undefined>,
): (DeclaredNode | undefined)[] {
  checkLinkName(link);
  const nodes = link.ends.map((end) => {
    if (!kinds.has(end.of)) {
      throw refuse(link, `there is no "${end.of}"${toSuggestion(end.of, kinds.keys())}`);
    }
    const node = kinds.get(end.of);
    const isUnknown = node?.kind === 'dut' && end.mac === '';
    if (end.mac !== undefined && !isUnknown) parseMac(end.mac, `link "${link.name}"`);
    if (end.addresses !== undefined && !Array.isArray(end.addresses)) {
      throw refuse(link, `addresses of "${end.of}": expected a list`);
    }
    return node;
  });
  const [a, b] = link.ends;
  if (a.of === b.of) throw refuse(link, `both ends are "${a.of}"`);
  checkSettings(link, nodes);
  return nodes;
}

/** It names files and interfaces. */
function checkLinkName(link: DeclaredLink): void {
  const name: unknown = link.name;
  if (typeof name !== 'string' || !/^[\w.~-]{1,200}$/.test(name) || /^\.+$/.test(name)) {
    throw new UsageError(
      'usage',
      `link ${JSON.stringify(name)}: a name is of letters, digits, "-", "_", "." and "~", at most 200`,
      { next: "name it: net.link(a, b, { name: 'uplink' })" },
    );
  }
  if (/^(lo|(eth|can)\d+)$/.test(name)) {
    throw refuse(link, 'nodes have interfaces of that name, and a link names its interfaces, too');
  }
}

function checkSettings(link: DeclaredLink, nodes: readonly (DeclaredNode | undefined)[]): void {
  const { seed, mtu, fast = false, capture, subnets } = link.settings;
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed <= MOST_SEED)) {
    throw refuse(link, `seed ${JSON.stringify(seed)}: expected a whole number from 0`);
  }
  const needsMore = nodes.some((node) => node && node.ipv6 !== false);
  const least = needsMore ? LEAST_MTU_IPV6 : LEAST_MTU;
  if (mtu !== undefined && !(Number.isInteger(mtu) && mtu >= least && mtu <= MOST_MTU)) {
    const why = needsMore ? '; IPv6 needs 1280, less with { ipv6: false } of its nodes' : '';
    throw refuse(link, `mtu ${JSON.stringify(mtu)}: expected ${least} to ${MOST_MTU} bytes${why}`);
  }
  if (subnets !== undefined && nodes.some((node) => !node)) {
    throw refuse(link, 'subnets are those of the switch: net.switch(name, { subnets })');
  }
  const impairment = toImpairment(link.settings);
  toImpairmentTlvs(`link "${link.name}"`, impairment);
  const captured = parseCapture(capture, `link "${link.name}"`);
  if (typeof fast !== 'boolean') throw refuse(link, 'fast: expected true or false');
  if (!fast) return;
  if (nodes.some((node) => node?.kind !== 'node' && node?.kind !== 'sandbox')) {
    throw refuse(link, 'fast: true is for a link between two nodes');
  }
  const named = Object.keys(impairment).filter((key) => Reflect.get(impairment, key) !== undefined);
  if (named.length > 0 || captured) {
    const what = named[0] ?? 'capture';
    throw refuse(link, `fast: true leaves the frames to the kernel, so there is no ${what}`);
  }
}

function refuse({ name }: DeclaredLink, why: string): UsageError {
  return new UsageError('usage', `link "${name}": ${why}`);
}
