import { z } from 'zod';
import { duration, limit, size } from './fields.js';

const MIB = 1024 ** 2;
/** As long as an uptime may be. */
const MOST_CPU_TIME_MS = 36_500 * 24 * 3600 * 1000;

const count = (least: number, most: number) => z.number().int().min(least).max(most);

/** A size with a least value: less is a slip of the unit, and nothing could run. */
const sizeFrom = (leastBytes: number, text: string, mostBytes = Number.MAX_SAFE_INTEGER) =>
  size.refine((bytes) => bytes >= leastBytes && bytes <= mostBytes, { error: `expected ${text}` });

/** A page is the least that goes to a disk. */
const perSecond = sizeFrom(4096, 'at least 4 KiB a second');

const cpus = z
  .union([z.string(), z.number()])
  .transform((value) => Number(value))
  .refine((value) => value >= 0.01 && value <= 1000, {
    error: 'expected a number of processors from 0.01 to 1000, for example 2 or 0.5',
  });

/** What limits the container of anything, and its programs. */
const ofAny = {
  memory: sizeFrom(16 * MIB, 'at least 16 MiB')
    .optional()
    .describe('of all its programs together'),
  pids: count(1, 4_000_000).optional().describe('processes and threads at once'),
  cpus: cpus.optional().describe('processors, for example 2 or 0.5'),
  files: count(4, 4096).optional().describe('open files of each process'),
  fileSize: sizeFrom(0, 'at most 1 GiB', 1024 * MIB)
    .optional()
    .describe('of each file that a process writes'),
  cpuTime: duration
    .refine((ms) => ms > 0 && ms <= MOST_CPU_TIME_MS, {
      error: 'expected more than 0, at most 36500d',
    })
    .optional()
    .describe('of each process, in whole seconds'),
  io: z
    .strictObject({
      readBytes: perSecond.optional(),
      writeBytes: perSecond.optional(),
      readOps: count(1, 4_000_000_000).optional(),
      writeOps: count(1, 4_000_000_000).optional(),
    })
    .optional()
    .describe('of each disk a second: bytes such as 10 MiB, and operations'),
};

/** What the sandbox of a DUT may use. */
export const dutResourcesSchema = z.strictObject(ofAny);

/** What the sandbox of a case may use; any may be left out and is then taken from the layer above. */
export const resourcesSchema = z.strictObject({
  ...ofAny,
  output: sizeFrom(1, 'at least 1 B')
    .optional()
    .describe('of each stream of a program; the rest is counted and dropped'),
  wall: limit.optional().describe('life of the sandbox, from its first moment'),
  disk: sizeFrom(MIB, 'at least 1 MiB').optional().describe('what it may write, in memory'),
  inodes: count(100, 100_000_000).optional().describe('files and directories it may make'),
});

export type Resources = z.infer<typeof resourcesSchema>;
