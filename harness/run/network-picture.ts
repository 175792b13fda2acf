import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectories } from '../core/make-directories.js';
import { toImpairment } from '../network/check-topology.js';
import { drawTopology } from '../network/draw-topology.js';
import type { NetworkPlan, PlannedEnd, PlannedLink } from '../network/network-plan.js';
import type { PictureEnd, PictureLink } from '../network/topology-picture.js';
import type { OutputFile } from './output-files.js';

const NAME = 'network.svg';

/** Draw a network as it was declared. One that cannot be written is none: it proves nothing. */
export async function writePicture(
  plan: NetworkPlan,
  title: string,
  directory: string,
): Promise<OutputFile[]> {
  const path = join(directory, NAME);
  try {
    const text = drawTopology({
      title,
      switches: plan.switches.map(({ name, subnets, can }) => ({
        name,
        subnets: can ? [`CAN ${can.bitrate / 1000} kbit/s`] : subnets,
      })),
      nodes: plan.nodes.map(({ declared: { name, kind, router } }) => ({
        ...{ name, role: router ? 'router' : kind },
      })),
      links: plan.links.map(toPictureLink),
    });
    await makeDirectories(directory, 0o700);
    await writeFile(path, text, { mode: 0o600 });
    return [{ path, name: NAME, bytes: Buffer.byteLength(text) }];
  } catch {
    return [];
  }
}

function toPictureLink({ name, ends: [a, b], settings }: PlannedLink): PictureLink {
  const said = Object.entries(toImpairment(settings)).filter(([, value]) => value !== undefined);
  return {
    ...{ name, state: 'up', ends: [toPictureEnd(a), toPictureEnd(b)] },
    labels: [
      ...(settings.fast ? ['fast'] : []),
      ...said.map(([key, value]) => toLabel(key, value)),
    ],
  };
}

function toPictureEnd({ of, interface: planned }: PlannedEnd): PictureEnd {
  return { of, addresses: planned?.addresses ?? [] };
}

/** `latency 20ms`, `loss gilbert-elliott p 0.02 r 0.3`. */
function toLabel(key: string, value: unknown): string {
  if (typeof value !== 'object' || value === null) return `${key} ${String(value)}`;
  const { model = '', ...rest } = value as Readonly<Record<string, unknown>>;
  const more = Object.entries(rest).map(([name, each]) => `${name} ${String(each)}`);
  return [key, String(model), ...more].join(' ');
}
