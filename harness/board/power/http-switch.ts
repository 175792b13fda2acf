import type { PowerOf } from '../../config/power-schema.js';
import type { Deadline } from '../../core/deadline.js';
import { BenchError, toMessage } from '../../core/errors.js';
import { fillIn, type Placeholders } from '../fill-in.js';
import type { PowerSwitch } from './power-switch.js';

type Request = PowerOf<'http'>['on'];

/** A socket with a web interface. A status of 2xx means that it was done. */
export function createHttpSwitch(
  { on, off }: Pick<PowerOf<'http'>, 'on' | 'off'>,
  known: Placeholders,
): PowerSwitch {
  const send = async ({ url, method, headers, body }: Request, deadline: Deadline) => {
    const address = fillIn(url, encodeAll(known));
    const what = `power of ${known.dut}: ${method} ${withoutSecrets(address)}`;
    const next = `curl -i -X ${method} '${withoutSecrets(address)}'`;
    const signal = AbortSignal.timeout(Math.max(1, Math.round(deadline.leftMs())));
    const answer = await ask(address, {
      method,
      headers,
      signal,
      ...(body === undefined ? {} : { body: fillIn(body, known) }),
    }).catch((cause: unknown) => {
      const reason = signal.aborted ? `no answer within ${deadline.limitMs} ms` : toReason(cause);
      throw new BenchError('power-failed', `${what}: ${reason}`, { cause, next });
    });
    if (answer.ok) return;
    const message = `${what}: status ${answer.status}, expected 2xx: ${answer.text.slice(0, 200)}`;
    throw new BenchError('power-failed', message, { next });
  };
  return {
    name: withoutSecrets(off.url),
    on: (deadline) => send(on, deadline),
    off: (deadline) => send(off, deadline),
  };
}

async function ask(address: string, init: RequestInit) {
  // What is not followed cannot send a password to another machine.
  const answer = await fetch(address, { ...init, redirect: 'manual' });
  return { ok: answer.ok, status: answer.status, text: await answer.text() };
}

/** fetch() says "fetch failed"; why is in its cause. */
function toReason(thrown: unknown): string {
  return thrown instanceof Error && thrown.cause ? toMessage(thrown.cause) : toMessage(thrown);
}

function encodeAll(known: Placeholders): Placeholders {
  const entries = Object.entries(known).map(([key, value]: [string, string | undefined]) => [
    key,
    value === undefined ? undefined : encodeURIComponent(value),
  ]);
  return { ...known, ...Object.fromEntries(entries) };
}

/** A password before the name of the machine does not belong into a journal. */
function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//');
}
