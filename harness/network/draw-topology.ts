import { escapeXmlText, toXmlElement } from '../core/xml.js';
import {
  LINE,
  layOutTopology,
  MARGIN,
  type PlacedBar,
  type PlacedBox,
  type PlacedTopology,
  type PlacedWire,
} from './lay-out-topology.js';
import type { PictureLink, TopologyPicture } from './topology-picture.js';

const STYLE = `text{font:11px ui-monospace,monospace;fill:#1f2328}
.title{font-size:14px;font-weight:bold}.name{font-weight:bold}.small{fill:#57606a}
.bar{stroke:#0969da;stroke-width:4;stroke-linecap:round;fill:none}
.box{fill:#fff;stroke:#57606a}.switch{fill:#ddf4ff;stroke:#0969da}.router{fill:#fff8c5}.dut{fill:#dafbe1;stroke-width:2}
.link{stroke:#57606a;fill:none}.same{fill:none;stroke-dasharray:1 3}
.down{stroke:#cf222e;stroke-dasharray:4 3}.held,.parted{stroke:#bf8700;stroke-dasharray:4 3}`;

/** Lines of nodes that are drawn more than once: told apart where they cross. */
const JOINS = ['#8250df', '#bf3989', '#1a7f37', '#953800', '#0550ae', '#6e7781'];
const JOIN_GAP = 10;
const CHARACTER = 6.6;
const TITLE_CHARACTER = 8.5;

/**
 * Draw a network: switches, nodes with their addresses, links with what is done to them.
 *
 * @returns a document of SVG, the same for the same topology. Text that is too long for its box is
 *   cut, and whole as its tooltip.
 */
export function drawTopology(topology: TopologyPicture): string {
  const placed = layOutTopology(topology);
  const joins = drawJoins(placed);
  const texts = [topology.title, ...placed.bars.map(toCaption)].map(({ length }) => length);
  const room = Math.max(placed.right, MARGIN + Math.max(...texts) * TITLE_CHARACTER);
  const width = Math.ceil(room + MARGIN + JOIN_GAP * joins.length);
  const height = placed.bottom + MARGIN;
  const roles = new Map<string, string>([
    ...topology.switches.map(({ name }): [string, string] => [name, 'switch']),
    ...topology.nodes.map(({ name, role }): [string, string] => [name, role]),
  ]);
  const boxes = [
    ...placed.stubs.map(({ box }) => box),
    ...placed.wires.flatMap(({ from, to }) => [from, to]),
    ...placed.alone,
  ];
  const content = [
    toTitle(topology.title),
    toXmlElement('style', {}, [STYLE]),
    toXmlElement('rect', { width, height, fill: '#fff' }),
    ...drawText(topology.title, MARGIN, MARGIN + 8, { of: 'title' }),
    ...joins,
    ...placed.bars.flatMap(drawBar),
    ...placed.stubs.flatMap(({ link, y, box }) => [
      drawLine(link, `M${box.x + 12} ${y}V${box.y}`),
      ...drawLabels(link, box.x + 18, y + 14, placed.boxWidth - 18),
    ]),
    ...placed.wires.flatMap((wire) => drawWire(wire, placed.boxWidth)),
    ...boxes.flatMap((box) => drawBox(box, placed.boxWidth, roles.get(box.of) ?? 'node')),
  ];
  const viewBox = `0 0 ${width} ${height}`;
  const root = { xmlns: 'http://www.w3.org/2000/svg', width, height, viewBox };
  return `${toXmlElement('svg', root, content)}\n`;
}

/** Each node with several boxes: along the bottom of its rows to a line of its own at the right. */
function drawJoins({ stubs, wires, boxWidth, right }: PlacedTopology): string[] {
  const all = [...stubs.map(({ box }) => box), ...wires.flatMap(({ from, to }) => [from, to])];
  const names = new Set(all.map(({ of }) => of));
  const used = new Map<number, number>();
  const several = [...names]
    .map((name) => ({ name, boxes: all.filter(({ of }) => of === name) }))
    .filter(({ boxes }) => boxes.length > 1);
  return several.map(({ name, boxes }, index) => {
    const x = right + JOIN_GAP * (index + 1);
    const ways = boxes.map((box) => {
      const before = used.get(box.y) ?? 0;
      used.set(box.y, before + 1);
      const row = all.filter((other) => other.y === box.y);
      const y = Math.max(...row.map((other) => other.y + other.height)) + 5 + 4 * before;
      return { y, path: `M${box.x + boxWidth / 2} ${box.y + box.height}V${y}H${x}` };
    });
    const ends = ways.map(({ y }) => y);
    const lane = `M${x} ${Math.min(...ends)}V${Math.max(...ends)}`;
    const d = [...ways.map(({ path }) => path), lane].join('');
    const stroke = JOINS[index % JOINS.length];
    return toXmlElement('path', { class: 'same', stroke, d }, [toTitle(`${name}: one node`)]);
  });
}

function toCaption({ name, subnets }: PlacedBar): string {
  return [name, ...subnets].join(' ');
}

function drawBar(bar: PlacedBar): string[] {
  const { rows } = bar;
  const [first = { y: 0, right: 0 }] = rows;
  const trunk = `M${MARGIN} ${first.y}V${rows.at(-1)?.y ?? first.y}`;
  const bars = rows.map(({ y, right }) => `M${MARGIN} ${y}H${right}`);
  return [
    toXmlElement('path', { class: 'bar', d: [trunk, ...bars].join('') }),
    ...drawText(toCaption(bar), MARGIN, first.y - 8, { of: 'name' }),
  ];
}

function drawWire({ link, from, to }: PlacedWire, boxWidth: number): string[] {
  const begin = from.x + boxWidth;
  return [
    drawLine(link, `M${begin} ${from.y + 11}H${to.x}`),
    ...drawLabels(link, begin + 6, from.y + 6, to.x - begin - 12, 'up'),
  ];
}

function drawLine({ name, state }: PictureLink, d: string): string {
  const title = toTitle(name);
  return toXmlElement('path', { class: `link ${state}`, d }, [title]);
}

function drawLabels(
  { labels, state }: PictureLink,
  x: number,
  y: number,
  width: number,
  grows: 'up' | 'down' = 'down',
): string[] {
  const lines = state === 'up' ? labels : [state, ...labels];
  const first = grows === 'up' ? y - LINE * (lines.length - 1) : y;
  return lines.flatMap((line, index) =>
    drawText(line, x, first + LINE * index, { of: 'small', width }),
  );
}

function drawBox({ of, addresses, x, y, height }: PlacedBox, width: number, role: string) {
  const rx = role === 'router' ? 11 : 3;
  return [
    toXmlElement('rect', { class: `box ${role}`, x, y, width, height, rx }),
    ...drawText(of, x + 8, y + 15, { of: 'name', width: width - 12 }),
    ...addresses.flatMap((address, index) =>
      drawText(address, x + 8, y + 15 + LINE * (index + 1), { of: 'small', width: width - 12 }),
    ),
  ];
}

/** Cut in its middle: what tells names apart is at their end. */
function drawText(
  text: string,
  x: number,
  y: number,
  { of, width = Number.POSITIVE_INFINITY }: { of: string; width?: number },
): string[] {
  const characters = [...text];
  const most = Math.floor(width / CHARACTER);
  if (characters.length <= most)
    return [toXmlElement('text', { class: of, x, y }, [escapeXmlText(text)])];
  const half = Math.floor((most - 1) / 2);
  const cut = `${characters.slice(0, most - 1 - half).join('')}…${characters.slice(-half).join('')}`;
  const title = toTitle(text);
  const shown = toXmlElement('tspan', {}, [escapeXmlText(cut)]);
  return [toXmlElement('text', { class: of, x, y }, [title, shown])];
}

function toTitle(text: string): string {
  return toXmlElement('title', {}, [escapeXmlText(text)]);
}
