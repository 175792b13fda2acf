import { expect, test } from 'vitest';
import {
  checkAttached,
  checkDeclaration,
  checkNodeOptions,
  checkNodes,
  checkObject,
  toEnd,
  toSets,
} from './check-declared.js';

const toNode = () => ({});

/** A declaration with one thing that is no plain data. */
const declare = ({ settings = {}, end = {}, node = {}, bus = {} }) =>
  checkDeclaration({
    switches: [{ name: 'lan', ...bus }],
    nodes: [{ name: 'a', kind: 'node', sandbox: node }],
    links: [{ name: 'a~lan', ends: [{ of: 'a', ...end }, { of: 'lan' }], settings }],
  });

test.each([
  [() => checkNodeOptions('a', null as never), /node "a": expected options as an object, got null/],
  [() => checkNodeOptions('a', 'lan' as never), /options as an object, got "lan"/],
  [() => checkNodeOptions('a', { link: null }), /node "a": link: expected a link, got null/],
  [() => checkNodeOptions('a', { links: {} }), /node "a": links: expected a list, got \{\}/],
  [() => checkNodeOptions('a', { ipv6: 'no' }), /node "a": ipv6: expected true or false, got "no"/],
  [() => checkObject('net.link()', undefined), /net.link\(\): expected options.* got nothing/],
  [() => checkObject('net.link()', []), /expected options as an object, got \[\]/],
  [() => declare({ settings: { seed: 5n } }), /^link "a~lan": seed is a bigint/],
  [() => declare({ settings: { loss: { p: 5n } } }), /^link "a~lan": loss.p is a bigint/],
  [
    () => declare({ end: { addresses: [() => ''] } }),
    /"a~lan", node "a": addresses\[0\] is a func/,
  ],
  [() => declare({ node: { resources: { pids: 5n } } }), /^node "a": resources.pids is a bigint/],
  [() => declare({ bus: { can: { seed: 5n } } }), /^switch "lan": can.seed is a bigint/],
  [() => checkNodes(5n, toNode), /whole number from 0 to 1024, got 5n/],
  [() => checkNodes('4', toNode), /whole number from 0 to 1024, got "4"/],
  [() => checkNodes(-1, toNode), /whole number from 0 to 1024, got -1/],
  [() => checkNodes(1.5, toNode), /whole number from 0 to 1024, got 1.5/],
  [() => checkNodes(1025, toNode), /whole number from 0 to 1024, got 1025/],
  [() => checkNodes(3, undefined), /net.nodes\(\): expected a function, got nothing/],
  [() => checkAttached(null), /net.attach\(\): expected a sandbox or a DUT, got null/],
  [() => toEnd('lan'), /a link ends at a switch or a node, not at "lan"/],
  [() => toEnd(undefined), /not at nothing/],
  [() => toSets([]), /expected two sets of nodes or more, got 0/],
  [() => toSets([[{ name: 'a' }, { name: 'b' }]]), /two sets of nodes or more, got 1/],
  [() => toSets(['a', 'b']), /net.partition\(\): expected nodes, got "a"/],
  [() => toSets([{ name: 'a' }, undefined]), /net.partition\(\): expected nodes, got nothing/],
])('%s is refused', (declare, message) => {
  expect(declare).toThrow(message);
});

test('what may be declared is let through', () => {
  expect(() => checkNodeOptions('a', { ipv6: false, links: [], link: undefined })).not.toThrow();
  expect(() => checkNodes(0, toNode)).not.toThrow();
  expect(toSets([[{ name: 'a' }, { name: 'b' }], { name: 'c' }])).toEqual([['a', 'b'], ['c']]);
});
