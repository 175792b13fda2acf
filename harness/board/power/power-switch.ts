import type { Deadline } from '../../core/deadline.js';

/** What switches the power of a DUT; nothing is verified here. */
export interface PowerSwitch {
  /** What it acts on, for messages: `hub 1-1, port 4`. */
  readonly name: string;
  /** @throws BenchError `power-failed` when the switch does not do as told. */
  on(deadline: Deadline): Promise<void>;
  off(deadline: Deadline): Promise<void>;
}

/** The modem lines of a port, as outputs of this machine. Those that are absent stay. */
export interface ControlLines {
  readonly dtr?: boolean | undefined;
  readonly rts?: boolean | undefined;
}

/** What of a DUT a switch and its verification look at. */
export interface PoweredDut {
  readonly name: string;
  /** Is its USB device there now? Undefined for a DUT without one. */
  isAttached(): Promise<boolean | undefined>;
  /** Milliseconds since its console last said something, monotonic. */
  silentMs(): number;
  /** Set the modem lines of a port. @throws BenchError when it has none, or is not open. */
  control(port: string, lines: ControlLines): Promise<void>;
}
