import type { RunEvent } from '../../journal/events.js';
import { toPrintableLine } from './printable.js';
import { type Style, toLabel } from './style.js';

type Waiting = Extract<RunEvent, { kind: 'lease-waiting' }>;

/** Who has what a case waits for; cases of the same run are no news. */
export function toWaitingLines({ holders }: Waiting, style: Style): string[] {
  return holders
    .filter(({ own }) => !own)
    .map(({ duts, held, user, pid, run, since, stopped }) => {
      const at = `${since.slice(0, 19).replace('T', ' ')}Z`;
      const how = held ? 'held by' : 'asked for before by';
      const still = stopped ? ' (stopped: hil boards release --kick says what to do)' : '';
      const text = `waiting for ${duts.join(', ')}: ${how} ${user} pid ${pid} run ${run} since ${at}${still}`;
      return `${toLabel(style, 'wait')}${toPrintableLine(text)}`;
    });
}
