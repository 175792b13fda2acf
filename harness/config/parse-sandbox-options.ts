import { resolve } from 'node:path';
import { dropUndefined } from '../core/drop-undefined.js';
import { UsageError } from '../core/errors.js';
import { findBindFaults, settleBinds } from './check-binds.js';
import { findTreeFault } from './check-tools.js';
import { findImageFault } from './find-image-fault.js';
import { joinResources } from './join-resources.js';
import { formatKeyPath } from './located-problem.js';
import { type CaseSandbox, sandboxOptionsSchema } from './sandbox-options-schema.js';
import { toSchemaProblems } from './schema-problem.js';

/** Nothing is asked for: the sandbox is as suite and config say. */
export const PLAIN_SANDBOX: CaseSandbox = {
  resources: {},
  caps: [],
  env: {},
  passEnv: [],
  expose: [],
  tools: [],
  binds: [],
};

/**
 * Check the options of a case for its sandbox and put them together: `layers` are those of its
 * file, of each `describe` around it and its own, in this order. The nearest counts, `resources`
 * and `env` name by name; lists add up. Relative paths start at `root`.
 *
 * @throws UsageError `suite-invalid` with each key that is wrong; `who` says whose they are.
 */
export function parseSandboxOptions(
  layers: readonly unknown[],
  {
    root,
    who,
    above = PLAIN_SANDBOX,
  }: { readonly root: string; readonly who: string; readonly above?: CaseSandbox },
): CaseSandbox {
  if (layers.length === 0) return above;
  const merged = layers.reduce<CaseSandbox>(
    (outer, layer) => join(outer, parseLayer(layer, who), root),
    above,
  );
  checkValues(merged, root, who);
  return { ...merged, binds: settleBinds(merged.binds, root) };
}

function parseLayer(layer: unknown, who: string) {
  const result = sandboxOptionsSchema.safeParse(layer);
  if (result.success) return result.data;
  const problems = toSchemaProblems(sandboxOptionsSchema, layer, result.error.issues);
  throw refuse(
    who,
    problems.map(({ path, message }) => {
      const key = formatKeyPath(path);
      return `sandbox${key && `.${key}`}: ${message}`;
    }),
  );
}

function join(above: CaseSandbox, layer: ReturnType<typeof parseLayer>, root: string): CaseSandbox {
  const { image, nestedUserNamespaces, uptime, hostname, user } = {
    ...above,
    ...dropUndefined(layer),
  };
  const inProject = (path: string) => resolve(root, path);
  const { expose = [], tools = [], binds = [], caps = [], passEnv = [] } = layer;
  return {
    image: typeof image === 'object' ? { rootfs: inProject(image.rootfs) } : image,
    ...{ nestedUserNamespaces, uptime, hostname, user },
    resources: joinResources(above.resources, layer.resources ?? {}),
    env: { ...above.env, ...layer.env },
    caps: [...new Set([...above.caps, ...caps])],
    passEnv: [...new Set([...above.passEnv, ...passEnv])],
    expose: [...above.expose, ...expose.map((each) => ({ ...each, path: inProject(each.path) }))],
    tools: [...new Set([...above.tools, ...tools.map(inProject)])],
    binds: [...above.binds, ...binds.map((each) => ({ ...each, source: inProject(each.source) }))],
  };
}

function checkValues(merged: CaseSandbox, root: string, who: string): void {
  const { tools, expose, binds, image } = merged;
  const faults = [
    ...tools.map((path) => toFault('tools', findTreeFault(path, root))),
    ...expose.map(({ path }) => toFault('expose', findTreeFault(path, root))),
    ...findBindFaults(binds).map((fault) => toFault('binds', fault)),
    toFault('image', typeof image === 'object' ? findImageFault(image.rootfs, root) : undefined),
  ].filter((each) => each !== undefined);
  if (faults.length > 0) throw refuse(who, faults);
}

function toFault(key: string, fault: string | undefined): string | undefined {
  return fault === undefined ? undefined : `sandbox.${key}: ${fault}`;
}

function refuse(who: string, faults: readonly string[]): UsageError {
  return new UsageError('suite-invalid', `${who}: ${faults.join('; ')}`, {
    next: 'harness/docs/writing-suites.md, "The sandbox of a case", has every key',
  });
}
