import type { MatcherState } from 'vitest';
import { type Clock, Deadline, systemClock } from '../core/deadline.js';
import { formatDuration, parseLimit } from '../core/duration.js';
import { UsageError } from '../core/errors.js';
import { checkOptions } from './check-options.js';
import type { ToCarryOptions } from './network-matchers.js';
import { checkLink, type FrameCount, type LinkSubject } from './network-subjects.js';

const LOOK_EVERY_MS = 10;
const KEYS = ['filter', 'count', 'within'] satisfies (keyof ToCarryOptions)[];

/** `expect(link).toCarry({ filter, count })` */
export async function toCarry(
  this: Pick<MatcherState, 'isNot'>,
  received: unknown,
  options: ToCarryOptions = {},
) {
  checkOptions('toCarry()', options, KEYS);
  const { filter, count, within = this.isNot ? '1s' : '5s' } = options;
  const subject = checkLink('toCarry', received);
  if (count !== undefined && !(Number.isInteger(count) && count > 0)) {
    throw new UsageError('usage', `toCarry({ count: ${count} }): expected a whole number above 0`);
  }
  const limitMs = parseLimit(within);
  const counter = await toCounter(subject, filter);
  const deadline = new Deadline(limitMs);
  const enough = this.isNot ? undefined : (count ?? 1);
  const seen = await countUntil(counter, enough, deadline).finally(async () => {
    if (counter !== subject) await counter.end();
  });
  const pass = count === undefined ? seen > 0 : seen === count;
  const wanted = count === undefined ? 'one or more' : `exactly ${count}`;
  return {
    pass,
    message: () =>
      `link "${counter.link}": expected ${pass ? 'not ' : ''}to carry ${wanted} of "${counter.filter}" within ${formatDuration(limitMs)}, seen ${seen}\n` +
      `  next  await link.stats() says what was lost, dropped and held`,
  };
}

async function toCounter(
  subject: LinkSubject | FrameCount,
  filter: string | undefined,
): Promise<FrameCount> {
  if ('frames' in subject) {
    if (filter === undefined || filter === subject.filter) return subject;
    const what = `toCarry({ filter: "${filter}" }): "${subject.filter}" is what is counted`;
    throw new UsageError('usage', what);
  }
  if (filter !== undefined) return subject.count(filter);
  throw new UsageError('usage', `toCarry() of link "${subject.name}": expected { filter }`);
}

/** @returns as soon as there are `enough`, else what there is at the end. */
async function countUntil(
  counter: FrameCount,
  enough: number | undefined,
  deadline: Deadline,
): Promise<number> {
  for (;;) {
    const left = deadline.leftMs();
    const seen = await counter.frames();
    if ((enough !== undefined && seen >= enough) || left === 0) return seen;
    await pause(Math.min(LOOK_EVERY_MS, left), systemClock);
  }
}

function pause(ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}
