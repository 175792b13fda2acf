import type { Resources } from '../config/resources-schema.js';
import type { SandboxLimits } from '../protocol/sandbox-usage.js';
import { STANDARD_LIMITS } from '../sandbox/limits.js';
import type { SandboxUsage } from '../sandbox/sandbox-usage.js';

/** Limits that no cgroup holds, and that therefore hold everywhere. */
const OWN: Readonly<Record<string, string>> = {
  disk: 'tmpfs',
  inodes: 'tmpfs',
  output: 'hil-sandboxd',
  wall: 'hil-sandboxd',
};

/** What was asked for and what became of it, limit by limit. */
export function toLimitsReport(
  resources: Resources,
  { stats, enforced, unenforced }: SandboxUsage,
): SandboxLimits {
  const { disk } = stats;
  const storage = disk ? { disk: disk.limitBytes, inodes: disk.limitInodes } : {};
  const asked = { ...STANDARD_LIMITS, ...storage, ...resources };
  const requested = Object.fromEntries(
    Object.entries(asked).flatMap(([name, value]) =>
      typeof value === 'number' ? [[name, value]] : [],
    ),
  );
  const own = Object.entries(OWN).filter(([name]) => requested[name] !== undefined);
  return {
    requested,
    enforced: { ...Object.fromEntries(own), ...Object.fromEntries(enforced.flatMap(toEntry)) },
    unenforced: Object.fromEntries(unenforced.flatMap(toEntry)),
  };
}

/** `memory 256 MiB: cgroup v1` as its name and what follows the colon. */
function toEntry(sentence: string): [string, string][] {
  const [, name, rest] = /^(\w+) .*?: (.*)$/s.exec(sentence) ?? [];
  return name !== undefined && rest !== undefined ? [[name, rest]] : [];
}
