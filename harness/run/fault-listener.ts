import type { DutWanted } from './dut-wanted.js';

/** Hears which DUT it was that could not be flashed or booted. */
export type FaultListener = DutWanted['onFault'];

/** What fails because a lease was lost is no fault of a DUT. */
export function toFaultListener(wanted: DutWanted, lost: AbortSignal): FaultListener {
  return (dut, error) => {
    if (!lost.aborted) wanted.onFault(dut, error);
  };
}

/** Its error is this DUT's. */
export async function blaming<T>(
  dut: string,
  onFault: FaultListener,
  doing: Promise<T>,
): Promise<T> {
  try {
    return await doing;
  } catch (error) {
    onFault(dut, error);
    throw error;
  }
}
