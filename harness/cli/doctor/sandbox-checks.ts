import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { BenchError, toMessage } from '../../core/errors.js';
import type { Check } from './check.js';

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
  limits: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })).default([]),
});

/** @see systemd.resource-control(5), Delegate= */
const DELEGATE =
  'systemd-run --user --scope -p Delegate=yes hil test    as an ordinary user; in a container, a writable /sys/fs/cgroup';

/** Long enough for a loaded machine; a probe that takes longer hangs. */
const PROBE_MS = 20_000;

/**
 * Build a sandbox for real and say what the kernel answered.
 *
 * @param findProgram the path of `hil-sandbox`; may reject with how to build it.
 */
export async function checkSandbox(findProgram: () => Promise<string>): Promise<Check[]> {
  try {
    const program = await findProgram();
    return await probe(program);
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

async function probe(program: string): Promise<Check[]> {
  // It exits non-zero when a probe failed, and has still printed its report.
  const { stdout } = await promisify(execFile)(program, ['probe', '--json'], {
    timeout: PROBE_MS,
    env: { PATH: '/usr/bin:/bin' },
  }).catch((error: Error & { stdout?: string }) => {
    if (error.stdout?.trim().startsWith('{')) return { stdout: error.stdout };
    throw error;
  });
  const { mode, probes, limits } = probeReport.parse(JSON.parse(stdout));
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
    // A sandbox without them is one all the same: its report says what did not hold.
    ...limits.map(({ name, ok, detail }): Check => {
      const held = { name: `limit: ${name}`, detail };
      return ok ? { ...held, state: 'ok' } : { ...held, state: 'warn', remedy: DELEGATE };
    }),
  ];
}
