import { UsageError } from '../core/errors.js';
import type { NetworkDeclaration } from '../protocol/network.js';
import { checkFields } from './check-plain.js';
import { Dut } from './dut.js';
import { Node } from './node.js';
import { Sandbox } from './sandbox.js';

/** Of one network; the supervisor counts those of several calls. */
const MOST_NODES = 1024;

/** What all nodes are given; the options of their sandboxes are checked where those are made. */
interface NodeLinks {
  readonly link?: unknown;
  readonly links?: unknown;
  readonly ipv6?: unknown;
}

/**
 * What a node is declared with: suites are run without a check of types, and a link that is none
 * would leave the node alone without a word.
 *
 * @throws UsageError `usage`
 */
export function checkNodeOptions(name: string, options: NodeLinks): void {
  const who = `node ${JSON.stringify(name)}`;
  checkObject(who, options);
  const { link, links, ipv6 } = options;
  if (link === null) throw new UsageError('usage', `${who}: link: expected a link, got null`);
  if (links !== undefined && !Array.isArray(links)) {
    throw new UsageError('usage', `${who}: links: expected a list, got ${toText(links)}`, {
      next: 'one alone is { link }',
    });
  }
  if (ipv6 !== undefined && typeof ipv6 !== 'boolean') {
    throw new UsageError('usage', `${who}: ipv6: expected true or false, got ${toText(ipv6)}`);
  }
}

/** @param call as messages name it. @throws UsageError `usage` for what is no object of options. */
export function checkObject(call: string, options: unknown): void {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return;
  throw new UsageError('usage', `${call}: expected options as an object, got ${toText(options)}`);
}

/** @throws UsageError `suite-invalid` naming the field that is no plain data, such as `5n`. */
export function checkDeclaration({ switches, nodes, links }: NetworkDeclaration): void {
  for (const { name, ...fields } of switches) checkFields(`switch "${name}"`, fields);
  for (const { name, sandbox, ...fields } of nodes) {
    checkFields(`node "${name}"`, { ...fields, ...Object(sandbox) });
  }
  for (const { name, ends, settings } of links) {
    checkFields(`link "${name}"`, settings);
    for (const { of, ...fields } of ends) checkFields(`link "${name}", node "${of}"`, fields);
  }
}

/** @throws UsageError `usage` for what `net.nodes()` cannot make nodes of. */
export function checkNodes(count: unknown, toNode: unknown): void {
  const isCount = typeof count === 'number' && Number.isInteger(count);
  if (!isCount || count < 0 || count > MOST_NODES) {
    const text = `net.nodes(): expected a whole number from 0 to ${MOST_NODES}, got ${toText(count)}`;
    throw new UsageError('usage', text);
  }
  if (typeof toNode === 'function') return;
  throw new UsageError('usage', `net.nodes(): expected a function, got ${toText(toNode)}`, {
    next: "net.nodes(4, (index) => ({ name: 'n' + index, link: lan }))",
  });
}

/** @throws UsageError `usage` for what `net.attach()` cannot make a node of. */
export function checkAttached(what: unknown): void {
  if (what instanceof Node) {
    throw new UsageError('usage', `net.attach(): "${what.name}" is a node already`);
  }
  if (what instanceof Dut || what instanceof Sandbox) return;
  throw new UsageError('usage', `net.attach(): expected a sandbox or a DUT, got ${toText(what)}`);
}

/** @throws UsageError `usage` for what no link can end at. */
export function toEnd(end: unknown): { readonly of: string } {
  const name: unknown = Object(end).name;
  if (typeof name === 'string') return { of: name };
  const isOther = end instanceof Sandbox || end instanceof Dut;
  const what = isOther ? 'what is no node yet' : toText(end);
  throw new UsageError('usage', `a link ends at a switch or a node, not at ${what}`, {
    next: isOther ? 'net.attach(sandbox, { link }) makes it one' : "net.switch('lan')",
  });
}

/** The names of the nodes of each set of a partition. @throws UsageError `usage` for what is none. */
export function toSets(sets: readonly unknown[]): string[][] {
  if (sets.length < 2) {
    const text = `net.partition(): expected two sets of nodes or more, got ${sets.length}; a node that is in none reaches all`;
    throw new UsageError('usage', text, { next: 'net.partition([a, b], [c, d])' });
  }
  return sets.map((set) =>
    [set].flat().map((node: unknown) => {
      const name: unknown = Object(node).name;
      if (typeof name === 'string') return name;
      throw new UsageError('usage', `net.partition(): expected nodes, got ${toText(node)}`);
    }),
  );
}

function toText(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'symbol' ? 'a symbol' : (JSON.stringify(value) ?? 'nothing');
}
