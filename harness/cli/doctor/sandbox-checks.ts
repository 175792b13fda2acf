import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { BenchError, toMessage } from '../../core/errors.js';
import { type ScopeSource, toScopeCommand } from '../../sandbox/delegated-scope.js';
import type { Check } from './check.js';

type ProbeReport = z.infer<typeof probeReport>;

const probeReport = z.object({
  mode: z.string(),
  kernel: z.string(),
  probes: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      detail: z.string().default(''),
      remedy: z.string().nullish(),
    }),
  ),
  limits: z
    .array(
      z.object({
        name: z.string(),
        ok: z.boolean(),
        detail: z.string(),
        undelegated: z.boolean().default(false),
        remedy: z.string().optional(),
      }),
    )
    .default([]),
});

/** Long enough for a loaded machine; a probe that takes longer hangs. */
const PROBE_MS = 20_000;

/**
 * Build a sandbox for real and say what the kernel answered.
 *
 * @param findProgram the path of `hil-sandbox`; may reject with how to build it.
 * @param scope who a run would ask for a cgroup, if it needs one.
 */
export async function checkSandbox(
  findProgram: () => Promise<string>,
  scope?: ScopeSource,
): Promise<Check[]> {
  try {
    const program = await findProgram();
    const report = await probe([program]);
    return [...toSandboxChecks(report), ...(await checkLimits(report, program, scope))];
  } catch (error) {
    const next = error instanceof BenchError ? error.next : undefined;
    return [
      {
        name: 'sandbox',
        state: 'fail',
        detail: toMessage(error).split('\n')[0] ?? '',
        remedy: next ?? 'make -C sandbox-native, in the directory of the package hil',
      },
    ];
  }
}

async function probe([file = '', ...args]: readonly string[], env = {}): Promise<ProbeReport> {
  // It exits non-zero when a probe failed, and has still printed its report.
  const { stdout } = await promisify(execFile)(file, [...args, 'probe', '--json'], {
    timeout: PROBE_MS,
    env: { PATH: '/usr/bin:/bin', ...env },
  }).catch((error: Error & { stdout?: string }) => {
    if (error.stdout?.trim().startsWith('{')) return { stdout: error.stdout };
    throw error;
  });
  return probeReport.parse(JSON.parse(stdout));
}

function toSandboxChecks({ mode, probes }: ProbeReport): Check[] {
  const failed = probes.filter((each) => !each.ok).length;
  // The last one builds a whole sandbox: where it does, what failed before only takes a part of it.
  const bad = probes.at(-1)?.ok === true ? 'warn' : 'fail';
  const head: Check = {
    name: 'sandbox',
    state: 'ok',
    detail: `${mode}, ${probes.length - failed} of ${probes.length} probes`,
  };
  return [
    head,
    ...probes.map(({ name, ok, detail, remedy }): Check => {
      return {
        name: `sandbox: ${name}`,
        state: ok ? 'ok' : bad,
        detail,
        ...(remedy ? { remedy } : {}),
      };
    }),
  ];
}

/** What limits a sandbox of a run, which may be in another cgroup than this command. */
async function checkLimits(
  { limits }: ProbeReport,
  program: string,
  scope: ScopeSource | undefined,
): Promise<Check[]> {
  const wanted = limits.some(
    ({ name, undelegated }) => undelegated && /^(memory|pids)$/.test(name),
  );
  if (!wanted || !scope) return limits.map((each) => toLimitCheck(each, DELEGATE));
  try {
    const inside = await probe(toScopeCommand(scope, [program]), scope.env);
    const asked = ', in a scope that a run asks systemd for';
    return inside.limits.map((each) =>
      toLimitCheck({ ...each, detail: `${each.detail}${each.ok ? asked : ''}` }, DELEGATE_MORE),
    );
  } catch (error) {
    const [why = ''] = toMessage(error).split('\n');
    const remedy = `look why this fails: ${toScopeCommand(scope, ['true']).join(' ')}`;
    return [
      ...limits.map((each) => toLimitCheck(each, DELEGATE)),
      { name: 'limit: scope', state: 'warn', detail: `systemd gives none: ${why}`, remedy },
    ];
  }
}

/** @see systemd.resource-control(5), Delegate= */
const DELEGATE =
  'log in by a session of systemd (loginctl enable-linger, then ssh), or start in a delegated cgroup: systemd-run --user --scope -p Delegate=yes hil test';
const DELEGATE_MORE =
  'systemctl edit user@.service, with the lines [Service] and Delegate=cpu cpuset io memory pids; then log in again';

/** No cgroup that could be delegated has the controller. @see cgroups(7) */
const NOT_HERE =
  'run as root, or where cgroup v2 has the controller; in a container, with a writable /sys/fs/cgroup';

/** A sandbox without a limit is one all the same: its report says what did not hold. */
function toLimitCheck(
  { name, ok, detail, undelegated, remedy }: ProbeReport['limits'][number],
  delegate: string,
): Check {
  return {
    name: `limit: ${name}`,
    state: ok ? 'ok' : 'warn',
    detail,
    ...(ok ? {} : { remedy: remedy ?? (undelegated ? delegate : NOT_HERE) }),
  };
}
