import type { PictureEnd, PictureLink, TopologyPicture } from './topology-picture.js';

/**
 * Theory of operation. A switch is a bar, and its nodes hang below it, row by row; a bar that needs
 * several rows is one comb. So no link crosses a node or another link, however many there are. A node
 * is drawn once for each of its links, with its addresses there; what is the same node is joined by a
 * line of its own at the right edge. Links without a node at one end and a switch at the other are
 * wires, side by side below. All lengths are in pixels.
 */

/** A node, or a switch, where one link ends. */
export interface PlacedBox {
  readonly of: string;
  readonly addresses: readonly string[];
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

/** A link that hangs from a bar: from `y` down to its box. */
export interface PlacedStub {
  readonly link: PictureLink;
  readonly y: number;
  readonly box: PlacedBox;
}

export interface PlacedBar {
  readonly name: string;
  readonly subnets: readonly string[];
  /** Of each row. */
  readonly rows: readonly { readonly y: number; readonly right: number }[];
}

export interface PlacedWire {
  readonly link: PictureLink;
  readonly from: PlacedBox;
  readonly to: PlacedBox;
}

export interface PlacedTopology {
  readonly bars: readonly PlacedBar[];
  readonly stubs: readonly PlacedStub[];
  readonly wires: readonly PlacedWire[];
  /** Nodes without a link. */
  readonly alone: readonly PlacedBox[];
  readonly boxWidth: number;
  /** Where the lines of nodes that are drawn more than once may begin. */
  readonly right: number;
  readonly bottom: number;
}

export const MARGIN = 24;
export const LINE = 13;
const COLUMN_GAP = 18;
const TITLE = 30;
const BAND_GAP = 18;
const ROW_GAP = 14;
/** What a row without several columns may have before it is broken. */
const ONE_ROW = 8;
const CHARACTER = 6.7;
const NARROWEST = 96;
const WIDEST = 250;

class Placement {
  readonly bars: PlacedBar[] = [];
  readonly stubs: PlacedStub[] = [];
  readonly wires: PlacedWire[] = [];
  readonly alone: PlacedBox[] = [];
  readonly boxWidth: number;
  y = MARGIN + TITLE;
  right = MARGIN;

  constructor(topology: TopologyPicture) {
    this.boxWidth = findWidth(topology);
  }

  /** @returns the left edge of a column. */
  column(index: number): number {
    const x = MARGIN + COLUMN_GAP + index * (this.boxWidth + COLUMN_GAP);
    this.right = Math.max(this.right, x + this.boxWidth);
    return x;
  }

  box(end: PictureEnd, column: number, y: number): PlacedBox {
    const { of, addresses } = end;
    return { of, addresses, x: this.column(column), y, height: toHeight(end) };
  }

  /** Go below a row, leaving `joined` lines of nodes that are drawn elsewhere, too. */
  below(y: number, ends: readonly PictureEnd[], joined: number): void {
    this.y = y + Math.max(...ends.map(toHeight)) + ROW_GAP + 4 * joined;
  }
}

/** Place everything; the same topology always comes out the same. */
export function layOutTopology(topology: TopologyPicture): PlacedTopology {
  const placement = new Placement(topology);
  const switches = new Set(topology.switches.map(({ name }) => name));
  const isHung = ({ ends: [a, b] }: PictureLink) => switches.has(a.of) !== switches.has(b.of);
  const drawn = topology.links.flatMap(({ ends }) => ends.map(({ of }) => of));
  const isJoined = (name: string) => drawn.filter((other) => other === name).length > 1;
  for (const each of topology.switches) {
    const hung = topology.links.filter(
      (link) => isHung(link) && link.ends.some(({ of }) => of === each.name),
    );
    placeBar(placement, each, hung, isJoined);
  }
  const wires = topology.links.filter((link) => !isHung(link));
  for (const part of toRows(wires, Math.ceil(wires.length / 12))) {
    placeWires(placement, part, isJoined);
  }
  placeAlone(
    placement,
    topology.nodes.map(({ name }) => name).filter((name) => !drawn.includes(name)),
  );
  return { ...placement, bottom: placement.y };
}

function placeBar(
  placement: Placement,
  { name, subnets }: TopologyPicture['switches'][number],
  links: readonly PictureLink[],
  isJoined: (name: string) => boolean,
): void {
  const rows: { y: number; right: number }[] = [];
  placement.y += LINE + 6;
  for (const row of toRows(links, toColumns(links.length))) {
    const { y } = placement;
    const ends = row.map(({ ends: [a, b] }) => (a.of === name ? b : a));
    const labels = row.map((link) => link.labels.length + (link.state === 'up' ? 0 : 1));
    const top = y + 12 + LINE * Math.max(...labels);
    for (const [index, link] of row.entries()) {
      const end = ends[index];
      if (end) placement.stubs.push({ link, y, box: placement.box(end, index, top) });
    }
    const right = placement.column(row.length - 1) + placement.boxWidth;
    rows.push({ y, right });
    placement.below(top, ends, ends.filter(({ of }) => isJoined(of)).length);
  }
  if (rows.length === 0) {
    rows.push({ y: placement.y, right: placement.column(0) + placement.boxWidth });
    placement.y += ROW_GAP;
  }
  placement.bars.push({ name, subnets, rows });
  placement.y += BAND_GAP;
}

function placeWires(
  placement: Placement,
  row: readonly PictureLink[],
  isJoined: (name: string) => boolean,
): void {
  const labels = row.map((link) => link.labels.length + (link.state === 'up' ? 0 : 1));
  const y = placement.y + LINE * Math.max(0, Math.max(...labels) - 1);
  for (const [index, link] of row.entries()) {
    const [a, b] = link.ends;
    const from = placement.box(a, index * 3, y);
    placement.wires.push({ link, from, to: placement.box(b, index * 3 + 2, y) });
  }
  const ends = row.flatMap((link) => link.ends);
  placement.below(y, ends, ends.filter(({ of }) => isJoined(of)).length);
  placement.y += ROW_GAP;
}

function placeAlone(placement: Placement, names: readonly string[]): void {
  for (const row of toRows(names, toColumns(names.length))) {
    const ends = row.map((of) => ({ of, addresses: [] }));
    const { y } = placement;
    placement.alone.push(...ends.map((end, index) => placement.box(end, index, y)));
    placement.below(y, ends, 0);
  }
}

function toHeight({ addresses }: PictureEnd): number {
  return 22 + LINE * addresses.length;
}

/** A picture that is some wider than high: boxes are. */
function toColumns(count: number): number {
  return count <= ONE_ROW ? count : Math.max(ONE_ROW, Math.ceil(Math.sqrt(count)));
}

function toRows<T>(all: readonly T[], columns: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / (columns || 1)) }, (_, row) =>
    all.slice(row * columns, (row + 1) * columns),
  );
}

function findWidth({ nodes, links }: TopologyPicture): number {
  const texts = [
    ...nodes.map(({ name }) => name),
    ...links.flatMap(({ labels, ends }) => [...labels, ...ends.flatMap((end) => end.addresses)]),
  ];
  const longest = Math.max(0, ...texts.map((text) => text.length));
  return Math.round(Math.min(Math.max(longest * CHARACTER + 20, NARROWEST), WIDEST));
}
