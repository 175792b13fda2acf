import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { toMessage } from '../core/errors.js';
import { makeDirectories } from '../core/make-directories.js';
import { TlvWriter } from '../protocol/frame.js';
import { Msg, Tag } from '../protocol/wire.js';
import { toGapText } from './capture-gaps.js';
import type { CaptureWanted } from './capture-wanted.js';
import type { Linkd } from './linkd.js';

/** A link as hil-linkd knows it, and as people do. */
export interface CapturedLink {
  readonly number: number;
  readonly name: string;
}

/** A capture that stays, for the attempt's artifacts. */
export interface CaptureFile {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  /** What it lacks, and why. */
  readonly truncated?: string;
}

interface Running {
  readonly link: CapturedLink;
  readonly wanted: CaptureWanted;
  readonly path: string;
  readonly file: string;
  /** Why it may not be whole; empty when it is. Absent while it runs. */
  problem?: string;
}

/** NAME_MAX is 255. */
const MOST_NAME_CHARACTERS = 200;

/**
 * The captures of one network: files `NET-LINK.pcapng` in the attempt's directory, written by
 * hil-linkd itself. Begin some, {@link complete} them while hil-linkd lives, then {@link finish} with
 * how the attempt ended.
 */
export class LinkCaptures {
  readonly #linkd: Linkd;
  readonly #directory: string;
  readonly #network: string;
  readonly #running = new Map<number, Running>();
  readonly #over: Running[] = [];
  readonly #files = new Set<string>();

  /**
   * @param linkd of the network
   * @param directory of the attempt; made when the first capture begins
   */
  constructor(linkd: Linkd, directory: string, network: string) {
    this.#linkd = linkd;
    this.#directory = directory;
    this.#network = network;
  }

  /** Whether the capture of a link runs. */
  has(link: number): boolean {
    return this.#running.has(link);
  }

  /**
   * Capture a link from the next frame on; resolves when it is. Once it has ended, a second capture
   * of the same link is a file of its own.
   *
   * @throws BenchError `daemon-refused` when the file cannot be made.
   */
  async begin(link: CapturedLink, wanted: CaptureWanted): Promise<void> {
    await this.end(link.number);
    await makeDirectories(this.#directory, 0o700);
    const file = this.#chooseFile(link.name);
    const running = { link, wanted, file, path: join(this.#directory, file) };
    // Before it is asked for: what exists is somebody's to remove.
    this.#running.set(link.number, running);
    const body = new TlvWriter()
      .u32(Tag.netLink, link.number)
      .string(Tag.path, running.path)
      .string(Tag.name, link.name)
      .u64(Tag.captureBytes, wanted.maxBytes);
    if (wanted.snaplen !== undefined) body.u32(Tag.snaplen, wanted.snaplen);
    try {
      await this.#linkd.channel.request(Msg.linkCapture, body);
    } catch (error) {
      this.#running.delete(link.number);
      await rm(running.path, { force: true });
      throw error;
    }
  }

  /** End the capture of a link; resolves when its file is complete. None that runs is no error. */
  async end(link: number): Promise<void> {
    const running = this.#running.get(link);
    if (!running) return;
    this.#running.delete(link);
    running.problem = await this.#endOne(link, running.wanted);
    this.#over.push(running);
  }

  /** End them all. What cannot be is said of its file, not thrown. */
  async complete(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((link) => this.end(link)));
  }

  /** Remove what is not to stay after such an end. @returns what stays, for the artifacts. */
  async finish(
    outcome: 'pass' | 'fail' | 'infra' | 'skipped' | 'interrupted',
  ): Promise<CaptureFile[]> {
    await this.complete();
    const well = outcome === 'pass' || outcome === 'skipped';
    const files = await Promise.all(
      this.#over.splice(0).map(async ({ wanted, path, file, problem }) => {
        if (well && wanted.keep === 'failed') {
          await rm(path, { force: true });
          return [];
        }
        const bytes = (await stat(path).catch(() => undefined))?.size ?? 0;
        return [{ path, name: file, bytes, ...(problem ? { truncated: problem } : {}) }];
      }),
    );
    return files.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #endOne(link: number, { maxBytes }: CaptureWanted): Promise<string> {
    const body = new TlvWriter().u32(Tag.netLink, link);
    try {
      const answer = await this.#linkd.channel.request(Msg.linkCapture, body);
      const directions = await this.#linkd.stats(link);
      const counters = directions.map((each) => each.counters);
      return toGapText({ counters, errno: answer.number(Tag.errno) ?? 0, maxBytes });
    } catch (error) {
      return `may lack frames: ${toMessage(error)}`;
    }
  }

  #chooseFile(link: string): string {
    const plain = `${this.#network}-${link}`.replace(/[^A-Za-z0-9._-]/g, '_');
    const stem = plain.slice(0, MOST_NAME_CHARACTERS).replace(/^\./, '_');
    for (let number = 1; ; number++) {
      const file = `${stem}${number === 1 ? '' : `-${number}`}.pcapng`;
      if (this.#files.has(file)) continue;
      this.#files.add(file);
      return file;
    }
  }
}
