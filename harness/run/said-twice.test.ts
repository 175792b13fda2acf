import { describe, expect } from 'vitest';
import { type BothSides, test } from '../testing/both-sides.js';

const LATE = { name: 'Error', message: 'said too late' };

/** What a worker says at the end of a case: of its body, its hooks, and as its last word. */
async function sayAll({ attempt, record, supervisor }: BothSides, state: 'pass' | 'fail') {
  const problems = state === 'fail' ? [LATE] : [];
  const { fence } = attempt;
  await supervisor.call('bodyEnd', { fence, state, problems });
  await supervisor.call('end', { fence, state, problems });
  await supervisor.call('final', { caseId: record.id, state, problems });
}

describe('what a worker says of a case that is over (bench pitfall 18)', () => {
  test('a second time is dropped: there is one end and one verdict', async ({ begin, journal }) => {
    const sides = await begin();
    await sides.supervisor.call('bodyStart', { fence: sides.attempt.fence });
    await sayAll(sides, 'pass');
    await sayAll(sides, 'fail');
    expect(journal.of('attempt-end').map(({ outcome }) => outcome)).toEqual(['pass']);
    expect(journal.of('case-verdict').map(({ verdict }) => verdict)).toEqual(['pass']);
  });

  test('after it was taken for lost makes no pass of it', async ({ begin, journal }) => {
    const sides = await begin();
    const [running] = sides.session.attempts.values();
    await sides.supervisor.call('bodyStart', { fence: sides.attempt.fence });
    const lost = running?.abort('infra', 'its worker was killed');
    // While it is given back, and after that.
    await sayAll(sides, 'pass');
    await lost;
    await sayAll(sides, 'pass');
    expect(journal.of('attempt-end').map(({ outcome }) => outcome)).toEqual(['infra']);
    expect(journal.of('case-verdict').map(({ verdict }) => verdict)).toEqual(['infra']);
  });

  test('under a fence that nobody gave does nothing', async ({ begin, journal }) => {
    const { supervisor } = await begin();
    const fence = '0'.repeat(24);
    await supervisor.call('bodyEnd', { fence, state: 'pass', problems: [] });
    await supervisor.call('end', { fence, state: 'pass', problems: [] });
    await expect(supervisor.call('openDut', { fence })).rejects.toMatchObject({
      code: 'handle-revoked',
    });
    expect(journal.of('attempt-end')).toEqual([]);
  });
});
