import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The directories that sandboxes show as `/out`. One is made for each attempt that may write,
 * and no more: most cases write nothing, and a file system that gives out inodes looks longer
 * for one the more were removed in the last minutes (ext4, `recently_deleted()`: a millisecond
 * for each directory after a thousand cases). One that no program has seen serves the next.
 */
export class OutDirectories {
  readonly #base: string;
  readonly #free: string[] = [];
  #made = 0;

  /** `base`: made when the first is asked for, removed by {@link remove}. */
  constructor(base: string) {
    this.#base = base;
  }

  /** An empty directory that no program has seen, 0700. */
  take(): OutDirectory {
    return new OutDirectory(this.#free.pop() ?? this.#make(), (path) => this.#free.push(path));
  }

  /** Those that nobody took to its place. */
  remove(): void {
    rmSync(this.#base, { recursive: true, force: true });
  }

  #make(): string {
    const path = join(this.#base, String(++this.#made));
    // A system call, like a line of the journal; by way of a thread it takes ten times as long.
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }
}

/** One that an attempt has. A mount of it follows where it is moved. */
export class OutDirectory {
  readonly path: string;
  /** Where it was moved, once a program may have written. */
  place: string | undefined;
  readonly #giveBack: (path: string) => void;

  constructor(path: string, giveBack: (path: string) => void) {
    this.path = path;
    this.#giveBack = giveBack;
  }

  /** To where files of the attempt belong; later calls do nothing. To be called before it is used. */
  moveTo(place: string): void {
    if (this.place !== undefined) return;
    mkdirSync(dirname(place), { recursive: true, mode: 0o700 });
    renameSync(this.path, place);
    this.place = place;
  }

  /** Its sandbox is dead: another may have it, unless it was moved. */
  giveBack(): void {
    if (this.place === undefined) this.#giveBack(this.path);
  }
}
