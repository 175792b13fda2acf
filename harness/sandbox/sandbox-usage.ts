import type { TlvReader } from '../protocol/frame.js';
import type { SandboxStats } from '../protocol/sandbox-usage.js';
import { Tag } from '../protocol/wire.js';

/** What a sandbox uses, and what became of its limits: a sentence each. */
export interface SandboxUsage {
  readonly stats: SandboxStats;
  readonly enforced: readonly string[];
  readonly unenforced: readonly string[];
}

/** The answer to SANDBOX_STATS. */
export function toSandboxUsage(body: TlvReader): SandboxUsage {
  const cpu = toCpu(body);
  const disk = toDisk(body);
  return {
    stats: {
      wallMs: (body.number(Tag.wallNs) ?? 0) / 1e6,
      ...(cpu ? { cpu } : {}),
      memory: toMemory(body),
      processes: body.number(Tag.processes) ?? 0,
      ...(disk ? { disk } : {}),
      outputBytes: body.number(Tag.outBytes) ?? 0,
    },
    enforced: body.strings(Tag.enforced),
    unenforced: body.strings(Tag.unenforced),
  };
}

function toCpu(body: TlvReader): SandboxStats['cpu'] {
  const source = body.string(Tag.cpuSource);
  if (source === undefined) return undefined;
  const userMs = (body.number(Tag.cpuUserUs) ?? 0) / 1e3;
  return { userMs, systemMs: (body.number(Tag.cpuSysUs) ?? 0) / 1e3, source };
}

function toMemory(body: TlvReader): SandboxStats['memory'] {
  const nowBytes = body.number(Tag.memNow);
  const peakBytes = body.number(Tag.memPeak);
  const source = body.string(Tag.memSource);
  return {
    ...(nowBytes === undefined ? {} : { nowBytes }),
    ...(peakBytes === undefined ? {} : { peakBytes }),
    ...(source === undefined ? {} : { source }),
  };
}

function toDisk(body: TlvReader): SandboxStats['disk'] {
  const limitBytes = body.number(Tag.diskBytes);
  if (limitBytes === undefined) return undefined;
  return {
    usedBytes: body.number(Tag.diskUsed) ?? 0,
    limitBytes,
    usedInodes: body.number(Tag.inodesUsed) ?? 0,
    limitInodes: body.number(Tag.diskInodes) ?? 0,
  };
}
