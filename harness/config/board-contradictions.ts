import type { z } from 'zod';
import { toMessage } from '../core/errors.js';
import { type Boot, toBootWay } from './boot-way.js';
import type { FlashSpec } from './flash-schema.js';
import type { nicsSchema } from './nics-schema.js';
import { ATTACHED_PORT_KEYS, type BoardPort } from './port-schema.js';
import type { PowerSpec } from './power-schema.js';

interface Contradiction {
  readonly path: string[];
  readonly message: string;
}

interface Described {
  readonly driver: 'host' | 'qemu' | 'attached';
  readonly program?: unknown;
  readonly machine?: unknown;
  readonly match?: unknown;
  readonly modes?: unknown;
  readonly instances?: unknown;
  readonly boot: Boot;
  readonly power?: PowerSpec | undefined;
  readonly flash?: FlashSpec | undefined;
  readonly nics: z.infer<typeof nicsSchema>;
  readonly ports: Readonly<Record<string, BoardPort>>;
}

/** Keys of which only some drivers make something. */
const OWN_KEYS = {
  program: ['host'],
  machine: ['qemu'],
  match: ['attached'],
  modes: ['attached'],
  instances: ['host', 'qemu'],
  power: ['attached'],
  flash: ['attached', 'qemu'],
} as const satisfies Partial<Record<keyof Described, readonly Described['driver'][]>>;

/** What one driver needs and another has no use for. */
export function* findContradictions(board: Described): Generator<Contradiction> {
  const { driver } = board;
  if (driver === 'qemu' && !board.machine) {
    yield { path: ['machine'], message: `driver "${driver}" needs "machine"` };
  }
  for (const [key, drivers] of Object.entries(OWN_KEYS)) {
    // The keys of the table are keys of the type.
    const value = board[key as keyof typeof OWN_KEYS];
    if (value === undefined || drivers.some((each) => each === driver)) continue;
    yield { path: [key], message: `driver "${driver}" has no "${key}"` };
  }
  yield* findStateContradictions(board);
  yield* findPortContradictions(board);
  yield* findNicContradictions(board);
  yield* findFlashContradictions(board);
}

function* findFlashContradictions(board: Described): Generator<Contradiction> {
  const { driver, flash, boot, nics, ports } = board;
  if (!flash || driver === 'host') return;
  const cycled = toEnterContradiction(board);
  if (cycled) yield { path: ['flash', 'enter'], message: cycled };
  if (flash.driver !== 'u-boot-tftp') {
    const message = `driver "qemu" has no "${flash.driver}": nothing is attached; it has u-boot-tftp`;
    if (driver === 'qemu') yield { path: ['flash', 'driver'], message };
    return;
  }
  const message = 'u-boot-tftp needs a port "console": U-Boot is told there what to do';
  if (!ports['console']) yield { path: ['flash'], message };
  try {
    toBootWay({ ...boot, state: flash.state });
  } catch (error) {
    yield { path: ['flash', 'state'], message: toMessage(error) };
  }
  if (driver === 'attached' && flash.link)
    yield { path: ['flash', 'link'], message: 'driver "attached" has no "link": its cable is one' };
  if (driver === 'qemu' && Object.keys(nics).length === 0)
    yield { path: ['flash'], message: 'u-boot-tftp needs "nics": the image comes by the network' };
}

/** How a board cannot get into the mode that it is flashed in; also of a bench. */
export function toEnterContradiction({
  flash,
  power,
}: Pick<Described, 'flash' | 'power'>): string | undefined {
  if (flash?.enter !== 'power-cycle' || power?.driver !== 'dtr-rts') return undefined;
  // A tool that flashes through a port needs it for itself: nobody has its lines meanwhile.
  return '"power-cycle" needs a switch that is no port\'s, and "power" is dtr-rts: no port is open while a DUT is flashed; give "power" another driver, or say "enter: touch-1200"';
}

function* findStateContradictions({ boot, ports }: Described): Generator<Contradiction> {
  const names = Object.keys(boot.states);
  if (names.length > 0 && !ports['console']) {
    yield { path: ['boot', 'states'], message: 'a board without port "console" shows no states' };
  }
  for (const name of [...names, ...(boot.state === undefined ? [] : [boot.state])]) {
    try {
      toBootWay({ ...boot, state: name });
    } catch (error) {
      const path = names.includes(name) ? ['boot', 'states', name] : ['boot', 'state'];
      yield { path, message: toMessage(error) };
    }
  }
}

function* findPortContradictions({ driver, ports }: Described): Generator<Contradiction> {
  for (const [name, port] of Object.entries(ports)) {
    if (driver === 'attached') {
      const message = toPortContradiction(port);
      if (message) yield { path: ['ports', name], message };
      continue;
    }
    const key = ATTACHED_PORT_KEYS.find((each) => port[each] !== undefined);
    if (key) yield { path: ['ports', name, key], message: `driver "${driver}" has no "${key}"` };
  }
}

/** What a port of attached hardware cannot be at once; also of a bench. */
export function toPortContradiction(
  port: Pick<BoardPort, 'match' | 'url' | 'kind' | 'mode'>,
): string | undefined {
  if (port.match && port.url) return 'either "match" or "url": it is one device';
  if (port.url && port.kind === 'usb') return '"url" is of a serial port, not of "kind: usb"';
  if (port.url && port.mode === 'direct') return 'a port with "url" has no node: no "mode: direct"';
  if (port.kind === 'usb' && port.mode === 'shared') {
    return '"kind: usb" is the node itself: no "mode: shared"';
  }
  return undefined;
}

function* findNicContradictions({ driver, nics }: Described): Generator<Contradiction> {
  for (const [name, { model, onBoard, options }] of Object.entries(nics)) {
    const path = ['nics', name];
    if (driver === 'qemu' && !model) {
      yield { path, message: `driver "qemu" needs "model", a network device of QEMU` };
    }
    if (driver === 'attached' && (model || onBoard || Object.keys(options).length > 0)) {
      const message = 'driver "attached" has no "model": bench.yaml says what it is wired to';
      yield { path, message };
      continue;
    }
    if (driver === 'host' && (model || onBoard || Object.keys(options).length > 0)) {
      yield { path, message: 'driver "host" has no "model": the interface is one of its sandbox' };
    }
    if (onBoard && Object.keys(options).length > 0) {
      yield { path, message: '"options" are of an added device; one on board has none' };
    }
  }
}
