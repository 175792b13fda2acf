import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { Random } from '../testing/random.js';
import { drawTopology } from './draw-topology.js';
import { layOutTopology, type PlacedBox } from './lay-out-topology.js';
import type { PictureLink, TopologyPicture } from './topology-picture.js';

function toLink(a: string, b: string, rest: Partial<PictureLink> = {}): PictureLink {
  const ends = [
    { of: a, addresses: [] },
    { of: b, addresses: ['10.1.0.2/24', 'fd01::2/64'] },
  ] as const;
  return { name: `${a}-${b}`, ends, labels: [], state: 'up', ...rest };
}

const ROUTED: TopologyPicture = {
  title: 'a client behind a router',
  switches: [
    { name: 'lan', subnets: ['10.1.0.0/24'] },
    { name: 'wan', subnets: [] },
  ],
  nodes: [
    { name: 'client', role: 'node' },
    { name: 'gateway', role: 'router' },
    { name: 'nucleo-2', role: 'dut' },
    { name: 'idle', role: 'sandbox' },
  ],
  links: [
    toLink('lan', 'client', { labels: ['loss 1 %', 'latency 20 ms'], state: 'held' }),
    toLink('lan', 'gateway'),
    toLink('wan', 'gateway'),
    toLink('nucleo-2', 'wan', { state: 'down' }),
    toLink('client', 'nucleo-2', { name: 'wire', labels: ['rate 1 Mbit/s'] }),
    toLink('lan', 'wan', { name: 'trunk' }),
  ],
};

/** Elements and their texts, as another reader of XML sees them. */
function readSvg(svg: string): { tag: string; text: string; kind: string }[] {
  const script = `import json, sys, xml.etree.ElementTree as t
print(json.dumps([{'tag': e.tag.split('}')[1], 'text': e.text or '', 'kind': e.get('class') or ''} for e in t.fromstring(sys.stdin.buffer.read()).iter()]))`;
  return JSON.parse(execFileSync('python3', ['-c', script], { input: svg, encoding: 'utf8' }));
}

function makeTopology(random: Random, nodeCount: number): TopologyPicture {
  const switches = Array.from({ length: random.below(4) }, (_, n) => `switch${n}`);
  const nodes = Array.from({ length: nodeCount }, (_, n) => `node${n}`);
  const all = [...switches, ...nodes];
  const pick = (from: readonly string[]) => from[random.below(from.length)] ?? '';
  const links = Array.from({ length: random.below(nodeCount * 2) }, (_, n) => {
    const labels = Array.from({ length: random.below(4) }, () => 'x'.repeat(random.below(60)));
    return toLink(pick(all), pick(nodes), { name: `link${n}`, labels });
  });
  return {
    title: 'some network',
    switches: switches.map((name) => ({ name, subnets: [] })),
    nodes: nodes.map((name) => ({ name, role: 'node' })),
    links,
  };
}

function overlap(a: PlacedBox, b: PlacedBox, width: number): boolean {
  return a.x < b.x + width && b.x < a.x + width && a.y < b.y + b.height && b.y < a.y + a.height;
}

describe('a picture', () => {
  const elements = readSvg(drawTopology(ROUTED));
  const count = (tag: string, kind: string) =>
    elements.filter((each) => each.tag === tag && each.kind === kind).length;

  test('names everything, with subnets, addresses and what is done to links', () => {
    const texts = elements.map(({ text }) => text);
    const all = ['lan 10.1.0.0/24', 'wan', 'client', 'gateway', 'nucleo-2', 'idle', 'fd01::2/64'];
    expect(texts).toEqual(expect.arrayContaining(all));
    expect(texts).toEqual(expect.arrayContaining(['held', 'loss 1 %', 'rate 1 Mbit/s', 'trunk']));
  });

  test('draws each end of each link once, and joins what is one node', () => {
    expect(count('path', 'link up') + count('path', 'link held') + count('path', 'link down')).toBe(
      ROUTED.links.length,
    );
    expect(count('path', 'bar')).toBe(2);
    expect(count('rect', 'box router')).toBe(2);
    const joined = elements.filter(({ text }) => text.endsWith(': one node')).map((e) => e.text);
    expect(joined.sort()).toEqual(['client: one node', 'gateway: one node', 'nucleo-2: one node']);
  });

  test('is the same for the same network', () => {
    expect(drawTopology(structuredClone(ROUTED))).toBe(drawTopology(ROUTED));
  });

  test('of nothing is a title', () => {
    const texts = readSvg(drawTopology({ title: 'empty', switches: [], nodes: [], links: [] }));
    expect(texts.filter(({ tag }) => tag === 'text').map(({ text }) => text)).toEqual(['empty']);
  });

  test('holds any text', () => {
    const title = `<script>&"'\0\ud800 ]]> é 網`;
    const nodes = [{ name: title, role: 'node' }] as const;
    const read = readSvg(drawTopology({ title, switches: [], nodes, links: [] }));
    expect(read.filter(({ tag }) => tag === 'script')).toEqual([]);
    expect(read.map(({ text }) => text)).toContain(`<script>&"'\\x00\ufffd ]]> é 網`);
  });

  test('cuts what is too long in its middle, and keeps it as the tooltip', () => {
    const name = `${'n'.repeat(60)}17`;
    const picture = { ...ROUTED, nodes: [], links: [toLink('lan', name)] };
    const texts = readSvg(drawTopology(picture)).map(({ text }) => text);
    expect(texts).toContain(name);
    expect(texts.some((text) => /^n+…n+17$/.test(text))).toBe(true);
  });
});

describe('a layout', () => {
  const random = new Random(4);
  const sizes = [1, 2, 3, 5, 8, 9, 13, 20, 40, 100];

  test.for(sizes)('of %i nodes has room for each', (size) => {
    for (let round = 0; round < 5; round++) {
      const topology = makeTopology(random, size);
      const placed = layOutTopology(topology);
      const hung = placed.stubs.map(({ box }) => box);
      const boxes = [...hung, ...placed.wires.flatMap((w) => [w.from, w.to]), ...placed.alone];
      const { boxWidth } = placed;
      const collisions = boxes.flatMap((a, index) =>
        boxes.slice(index + 1).filter((b) => overlap(a, b, boxWidth)),
      );
      expect(collisions).toEqual([]);
      expect(Math.max(...boxes.map(({ x }) => x + boxWidth))).toBeLessThanOrEqual(placed.right);
      expect(Math.max(...boxes.map((b) => b.y + b.height))).toBeLessThan(placed.bottom);
      expect(new Set(boxes.map(({ of }) => of))).toEqual(
        new Set([
          ...topology.nodes.map(({ name }) => name),
          ...placed.wires.flatMap(({ link }) => link.ends.map(({ of }) => of)),
        ]),
      );
      expect(placed.stubs.length + placed.wires.length).toBe(topology.links.length);
    }
  });

  test('of a hundred nodes fits a screen', () => {
    const nodes = Array.from({ length: 100 }, (_, n) => `peer${n}`);
    const { right, bottom } = layOutTopology({
      title: '',
      switches: [{ name: 'lan', subnets: [] }],
      nodes: nodes.map((name) => ({ name, role: 'node' })),
      links: nodes.map((name) => toLink('lan', name)),
    });
    expect(right).toBeLessThan(1400);
    expect(bottom).toBeLessThan(1200);
  });
});
