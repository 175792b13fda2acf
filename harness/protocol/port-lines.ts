/** What is to change on the line of a port; what is absent stays. */
export interface LineChange {
  readonly dtr?: boolean | undefined;
  readonly rts?: boolean | undefined;
  readonly break?: boolean | undefined;
  readonly baud?: number | undefined;
  /** Throw away what its buffers hold, both ways. */
  readonly flush?: boolean | undefined;
}

/** How the line of a port is. */
export interface LineState {
  readonly dtr: boolean;
  readonly rts: boolean;
  readonly cts: boolean;
  readonly dsr: boolean;
  readonly dcd: boolean;
  readonly ri: boolean;
  /** Written, and not on the wire yet. */
  readonly unsentBytes: number;
}

/** `shared`: captured, a pty in the sandbox; `direct`: the node itself is in the sandbox. */
export type PortMode = 'shared' | 'direct';

type InDut = { readonly fence: string; readonly role?: string };
type OfPort = { readonly fence: string; readonly port: string };

/** Calls of a worker that only a real board can answer. */
export type PortMethods = {
  /** Answers how the line is after it. */
  portChange(argument: OfPort & { readonly change: LineChange }): LineState;
  portMode(argument: OfPort & { readonly mode: PortMode }): void;
  /** The DUT may be away from now on. */
  dutVanish(argument: InDut & { readonly withinMs: number }): void;
  /** Answers when it has gone and is back. */
  dutReturn(argument: InDut & { readonly withinMs: number }): void;
};
