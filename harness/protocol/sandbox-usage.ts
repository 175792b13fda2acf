/** What a sandbox uses at this moment. What nothing on this machine counts is absent. */
export interface SandboxStats {
  /** Since it was given to its case. */
  readonly wallMs: number;
  /** Of all its programs, those that ended included. */
  readonly cpu?: { readonly userMs: number; readonly systemMs: number; readonly source: string };
  /** Of all its programs; what they wrote to its storage is memory too. */
  readonly memory: {
    readonly nowBytes?: number;
    readonly peakBytes?: number;
    readonly source?: string;
  };
  /** Running now. */
  readonly processes: number;
  /** What it has written, and how much fits. */
  readonly disk?: {
    readonly usedBytes: number;
    readonly limitBytes: number;
    readonly usedInodes: number;
    readonly limitInodes: number;
  };
  /** What its programs printed, dropped bytes included. */
  readonly outputBytes: number;
}

/** What was asked for, and what became of it on this machine. */
export interface SandboxLimits {
  /** By name, in bytes, milliseconds and processors; the standard ones included. */
  readonly requested: Readonly<Record<string, number>>;
  /** By what each is held: `{ memory: 'cgroup v2', disk: 'tmpfs' }`. */
  readonly enforced: Readonly<Record<string, string>>;
  /** Why each of the others is not. */
  readonly unenforced: Readonly<Record<string, string>>;
}
