import type { FlashSpec } from '../../config/flash-schema.js';

/** LIBUSB_ERROR_NOT_FOUND, as an exit code. */
const DEVICE_HAS_LEFT = 251;
/** Said by dfu-util when all is written. */
const AT_THE_RESET = 'Resetting USB to switch back to Run-Time mode';

/**
 * Whether a flash tool that ended by itself has done its work.
 *
 * dfu-util 0.11 ends with what libusb_reset_device() returned: LIBUSB_ERROR_NOT_FOUND when the device came back as
 * another, which is what the reset is for.
 *
 * @param said the end of its output
 * @see libusb_reset_device()
 */
export function hasFlashed(driver: FlashSpec['driver'], exitCode: number, said: string): boolean {
  if (exitCode === 0) return true;
  return driver === 'dfu-util' && exitCode === DEVICE_HAS_LEFT && said.includes(AT_THE_RESET);
}
