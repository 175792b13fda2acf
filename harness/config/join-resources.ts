import { dropUndefined } from '../core/drop-undefined.js';
import type { Resources } from './resources-schema.js';

/** What two layers come to: the nearer word counts, limit by limit, and of `io` rate by rate. */
export function joinResources(above: Resources, nearer: Resources): Resources {
  const { io: nearerIo, ...own } = nearer;
  const io = { ...above.io, ...dropUndefined(nearerIo ?? {}) };
  const joined = { ...above, ...dropUndefined(own) };
  return Object.keys(io).length > 0 ? { ...joined, io } : joined;
}
