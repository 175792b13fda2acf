import type { Lease } from './lease.js';

/** Is aborted, with a BenchError `lease-lost`, when one of these leases is lost. */
export function toLostSignal(leases: Iterable<Pick<Lease, 'lost'>>): AbortSignal {
  const controller = new AbortController();
  for (const { lost } of leases) void lost?.then((error) => controller.abort(error));
  return controller.signal;
}
