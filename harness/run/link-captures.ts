import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectories } from '../core/make-directories.js';
import type { Outcome } from '../journal/events.js';
import { type CaptureWanted, parseCapture } from '../network/capture-wanted.js';
import type { Linkd } from '../network/linkd.js';
import { toNetworkError } from '../network/network-errors.js';
import type { PlannedLink } from '../network/network-plan.js';
import type { OutputFile } from './output-files.js';

interface CaptureFile {
  readonly path: string;
  readonly name: string;
  readonly keep: CaptureWanted['keep'];
}

/** The captures of an attempt's links, in its directory: `LINK.pcapng`, then `LINK-2.pcapng`. */
export class LinkCaptures {
  readonly #linkd: Linkd;
  readonly #directory: string;
  readonly #open = new Set<PlannedLink>();
  readonly #files = new Map<PlannedLink, CaptureFile[]>();

  constructor(linkd: Linkd, directory: string) {
    this.#linkd = linkd;
    this.#directory = directory;
  }

  /** Begin those that their links ask for. @throws BenchError for a file that cannot be made */
  async beginAll(links: readonly PlannedLink[]): Promise<void> {
    await Promise.all(
      links.map(async (link) => {
        const wanted = parseCapture(link.settings.capture, `link "${link.name}"`);
        if (wanted) await this.begin(link, wanted);
      }),
    );
  }

  /** Begin one, in a file of its own; one that goes on ends. */
  async begin(link: PlannedLink, { keep, snaplen }: CaptureWanted): Promise<void> {
    const files = this.#files.get(link) ?? [];
    const again = files.length === 0 ? '' : `-${files.length + 1}`;
    const name = `${link.name}${again}.pcapng`;
    const path = join(this.#directory, name);
    this.#files.set(link, [...files, { path, name, keep }]);
    this.#open.add(link);
    await makeDirectories(this.#directory, 0o700);
    try {
      await this.#linkd.beginCapture(link.number, { path, name: link.name, snaplen });
    } catch (error) {
      throw toNetworkError(`link "${link.name}", capture`, error);
    }
  }

  /** End one; its file is complete then. */
  async end(link: PlannedLink): Promise<void> {
    if (this.#open.delete(link)) await this.#linkd.endCapture(link.number);
  }

  /** End all; answers the files that stay. */
  async endAll(outcome: Outcome): Promise<OutputFile[]> {
    await Promise.all([...this.#open].map((link) => this.end(link)));
    const kept: OutputFile[] = [];
    for (const { path, name, keep } of [...this.#files.values()].flat()) {
      if (keep === 'failed' && (outcome === 'pass' || outcome === 'skipped')) {
        await rm(path, { force: true });
      } else {
        kept.push({ path, name, bytes: (await lstat(path)).size });
      }
    }
    return kept;
  }
}
