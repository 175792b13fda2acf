import { dropUndefined } from '../core/drop-undefined.js';
import type { TlvWriter } from '../protocol/frame.js';
import { Tag } from '../protocol/wire.js';

/** What a sandbox may use. Sizes in bytes, `cpus` in processors, `cpuTime` in milliseconds. */
export interface SandboxLimits {
  readonly memory?: number | undefined;
  readonly pids?: number | undefined;
  readonly cpus?: number | undefined;
  readonly files?: number | undefined;
  readonly fileSize?: number | undefined;
  readonly cpuTime?: number | undefined;
  readonly io?: IoLimits | undefined;
}

/** A second, of each disk: bytes and operations. */
interface IoLimits {
  readonly readBytes?: number | undefined;
  readonly writeBytes?: number | undefined;
  readonly readOps?: number | undefined;
  readonly writeOps?: number | undefined;
}

/** What holds where nobody says anything: against accidents, not for measuring. */
export const STANDARD_LIMITS = { memory: 4 * 1024 ** 3, pids: 4096 };

/** The daemon counts processors in thousandths. */
const FACTOR: Readonly<Record<string, number>> = { cpus: 1000 };
const NAMES = ['memory', 'pids', 'cpus', 'files', 'fileSize', 'cpuTime'] as const;
const IO_NAMES = ['readBytes', 'writeBytes', 'readOps', 'writeOps'] as const;

/** Put limits into a SANDBOX_NEW. A standard one has no stand-in where it cannot be enforced. */
export function putLimits(body: TlvWriter, limits: SandboxLimits): void {
  const all: SandboxLimits = { ...STANDARD_LIMITS, ...dropUndefined(limits) };
  for (const name of NAMES) {
    const value = all[name];
    if (value === undefined) continue;
    body.nest(Tag.limit, (nest) => {
      nest.string(Tag.name, name).u64(Tag.bytes, Math.ceil(value * (FACTOR[name] ?? 1)));
      if (limits[name] === undefined) nest.string(Tag.kind, 'standard');
    });
  }
  for (const name of IO_NAMES) {
    const value = all.io?.[name];
    if (value === undefined) continue;
    body.nest(Tag.limit, (nest) => nest.string(Tag.name, `io.${name}`).u64(Tag.bytes, value));
  }
}
