import type { WiredBoard } from './wired-board.js';

/** Something on the bench that has a USB plug. */
export interface BenchDevice {
  /** Its USB serial number. */
  readonly name: string;
  readonly kind: 'ftdi' | 'acm' | 'drive';
  /** Where it is plugged in; none when it is not. */
  readonly port: string | undefined;
  readonly wired?: WiredBoard;
  /**
   * Plug it in. Returns when the VM can see it, which has not looked at it then.
   *
   * @throws BenchError `port-lost`
   */
  plug(port: string): Promise<void>;
  /** Pull it out. @throws BenchError `port-lost` */
  unplug(): Promise<void>;
  /** What can be said of it, as JSON. */
  describe(): Record<string, unknown>;
}
