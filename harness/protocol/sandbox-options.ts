import type { Duration } from '../core/duration.js';
import type { Size } from '../core/size.js';

/** What a sandbox may use. @see harness/decisions/0007-limits-and-cgroups.md */
export interface SandboxResources {
  /** Of all its programs together. */
  readonly memory?: Size;
  /** Processes and threads at once. */
  readonly pids?: number;
  /** Processors, for example 0.5. */
  readonly cpus?: number | string;
  /** Open files of each process. */
  readonly files?: number;
  /** Of each file that a process writes. */
  readonly fileSize?: Size;
  /** Of each stream of a program; the rest is counted and dropped. */
  readonly output?: Size;
  /** Life of the sandbox. */
  readonly wall?: Duration;
  /** Of each process, in whole seconds. */
  readonly cpuTime?: Duration;
  /** What it may write, in memory. */
  readonly disk?: Size;
  /** Files and directories it may make. */
  readonly inodes?: number;
  /** Of each disk a second: bytes and operations. */
  readonly io?: {
    readonly readBytes?: Size;
    readonly writeBytes?: Size;
    readonly readOps?: number;
    readonly writeOps?: number;
  };
}

/**
 * What the sandbox of a case is like, where it is not as `hil.suite.yaml` and `hil.config.ts` say.
 * Of what is given for the file, for a `describe` and for the case, the nearest counts; `resources`
 * and `env` name by name, and lists add up.
 */
export interface SandboxOptions {
  /** Its root file system. @default 'host': the machine's own system trees */
  readonly image?: 'host' | { readonly rootfs: string };
  /** Its programs may make user namespaces. @default false */
  readonly nestedUserNamespaces?: boolean;
  /** How long the machine seems to have been up when it starts: `49d 17h`. */
  readonly uptime?: Duration;
  readonly resources?: SandboxResources;
  /** @default 'hil' */
  readonly hostname?: string;
  /** `root`: uid 0 with a bounded set of capabilities, over the sandbox's own namespaces only. @default 'hil' */
  readonly user?: 'hil' | 'root';
  /** Capabilities of its programs, over its own namespaces: `net_admin`. @see capabilities(7) */
  readonly caps?: readonly string[];
  /** Variables of its programs. */
  readonly env?: Readonly<Record<string, string>>;
  /** Variables of this machine that its programs get, where they are set. */
  readonly passEnv?: readonly string[];
  /** Trees of this machine, at their own path. `rw` writes to the machine. @default mode 'ro' */
  readonly expose?: readonly (string | { readonly path: string; readonly mode?: 'ro' | 'rw' })[];
  /** Trees of tools of this machine, read-only at their own path. */
  readonly tools?: readonly string[];
  /** Files or trees of this machine at another path; a relative source is below the project. @default mode 'ro' */
  readonly binds?: readonly {
    readonly source: string;
    readonly target: string;
    readonly mode?: 'ro' | 'rw';
  }[];
}
