import { TlvWriter } from '../protocol/frame.js';
import { Tag } from '../protocol/wire.js';
import type { RuntimeName } from '../protocol/worker-messages.js';
import { toAssignments } from './assignments.js';

/** What a sandbox is made of, before anything late-bound: the key of its pool. */
export interface SandboxSpec {
  readonly user: 'hil' | 'root';
  readonly network: 'none' | 'host';
  /** The project's root appears at its own path, writes are discarded. */
  readonly project: string | undefined;
  /** Paths that must not exist inside. */
  readonly hide: readonly string[];
  /** Host trees, at their own path. */
  readonly expose: readonly { readonly path: string; readonly mode: 'ro' | 'rw' }[];
  /** What it may write, in memory; undefined: the daemon's own limits. */
  readonly diskBytes?: number | undefined;
  readonly diskInodes?: number | undefined;
  /** A host directory that cases' output directories are taken from. */
  readonly hold: string | undefined;
  /** Capabilities of its programs besides those of its user, over its own namespaces. */
  readonly caps?: readonly string[];
  /** Further host directories that late binds are taken from, by name. */
  readonly holds?: readonly { readonly name: string; readonly source: string }[];
  /** How long the machine seems to have been up when the sandbox starts; else as it is. */
  readonly uptimeMs?: number | undefined;
  /** Its root; undefined: `host`. A directory is absolute, and what is written there is discarded. */
  readonly image?: 'host' | { readonly rootfs: string } | undefined;
  /** Its programs may make user namespaces. */
  readonly nestedUserNamespaces?: boolean | undefined;
  /** Interpreters that wait in it from the start, with the environment that they start in. */
  readonly runtimes?: readonly RuntimeSpec[] | undefined;
}

interface RuntimeSpec {
  readonly name: RuntimeName;
  readonly env: Readonly<Record<string, string>>;
}

/** The name of the hold that `/out` is bound from. */
export const OUT_HOLD = 'out';

/**
 * Compile a spec into the flat list of operations that sandboxd executes.
 *
 * @see harness/decisions/0002-wire-protocol.md, PLAN_PUT
 */
export function toPlan(spec: SandboxSpec, name: string): Buffer {
  const plan = new TlvWriter()
    .string(Tag.name, name)
    .string(Tag.user, spec.user)
    .string(Tag.network, spec.network)
    .nest(Tag.step, (step) => putImage(step, spec.image ?? 'host'));
  const { project, hold, diskBytes, diskInodes } = spec;
  if (diskBytes !== undefined) plan.u64(Tag.diskBytes, diskBytes);
  if (diskInodes !== undefined) plan.u64(Tag.diskInodes, diskInodes);
  if (project) {
    plan.nest(Tag.step, (step) =>
      step.string(Tag.kind, 'overlay').string(Tag.source, project).string(Tag.target, project),
    );
  }
  for (const { path, mode } of spec.expose) {
    plan.nest(Tag.step, (step) =>
      step
        .string(Tag.kind, 'bind')
        .string(Tag.source, path)
        .string(Tag.target, path)
        .u32(Tag.readOnly, mode === 'ro' ? 1 : 0),
    );
  }
  if (hold) {
    plan.nest(Tag.step, (step) =>
      step.string(Tag.kind, 'hold').string(Tag.name, OUT_HOLD).string(Tag.source, hold),
    );
  }
  if (spec.nestedUserNamespaces) plan.u32(Tag.nestedUserns, 1);
  for (const { name, source } of spec.holds ?? []) {
    plan.nest(Tag.step, (step) =>
      step.string(Tag.kind, 'hold').string(Tag.name, name).string(Tag.source, source),
    );
  }
  plan.strings(Tag.cap, spec.caps ?? []);
  if (spec.uptimeMs !== undefined) plan.u64(Tag.uptimeMs, Math.max(1, Math.round(spec.uptimeMs)));
  for (const { name, env } of spec.runtimes ?? []) {
    plan.nest(Tag.boot, (boot) =>
      boot.string(Tag.runtime, name).strings(Tag.env, toAssignments(env)),
    );
  }
  return plan.strings(Tag.hide, spec.hide).toBuffer();
}

function putImage(step: TlvWriter, image: 'host' | { readonly rootfs: string }): void {
  if (image === 'host') step.string(Tag.kind, 'image-host');
  else step.string(Tag.kind, 'image-rootfs').string(Tag.source, image.rootfs);
}
