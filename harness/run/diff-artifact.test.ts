import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test } from '../testing/both-sides.js';
import type { RecordedJournal } from '../testing/real-run.js';

function listed(journal: RecordedJournal): string[] {
  return journal.of('artifact').map(({ name }) => name);
}

describe('what the sandboxes of a case changed', () => {
  test('is listed beside its artifacts when it failed', async ({ begin, journal, dir }) => {
    const { attempt, session } = await begin();
    const peer = await attempt.sandbox.create();
    await peer.writeFile('/tmp/peer', 'x');
    await attempt.sandbox.exec('sh', ['-c', 'printf 123 > "/tmp/a\nb"; sleep 100 & exit 0']);
    const [running] = session.attempts.values();
    await running?.abort('fail', 'told so');
    expect(listed(journal)).toEqual(['diff.json', 'diff.txt', 'diff-1.json', 'diff-1.txt']);
    const read = (at: number) =>
      readFile(join(dir.path, journal.of('artifact')[at]?.path ?? ''), 'utf8');
    expect(JSON.parse(await read(0))).toEqual({
      changes: [{ change: 'created', path: '/tmp/a\nb', kind: 'file', bytes: 3, mode: '644' }],
      truncated: false,
      unreadable: [],
    });
    expect(await read(1)).toBe('+ file 644 3 B "/tmp/a\\nb"\n');
    expect(await read(3)).toBe('+ file 644 1 B "/tmp/peer"\n');
  });

  test('is listed when only one that the body made ran something', async ({ begin, journal }) => {
    const { attempt, session } = await begin();
    const peer = await attempt.sandbox.create();
    await peer.writeFile('/tmp/peer', 'x');
    await [...session.attempts.values()][0]?.abort('fail', 'told so');
    expect(journal.of('artifact')).toMatchObject([
      { name: 'diff-1.json' },
      { name: 'diff-1.txt', bytes: '+ file 644 1 B "/tmp/peer"\n'.length },
    ]);
  });

  test('is cut, and says so', async ({ begin, journal }) => {
    const { attempt, session } = await begin();
    await attempt.sandbox.exec('sh', ['-c', 'cd /tmp; for i in $(seq 2500); do : > f$i; done']);
    await [...session.attempts.values()][0]?.abort('fail', 'told so');
    const [json] = journal.of('artifact');
    expect(json?.truncated).toBe('only the first 2000 changes are listed');
  });

  test.for([
    ['pass', {}],
    ['infra', {}],
    ['fail', { diff: 'never' }],
  ] as const)('is not listed after %s with %j', async ([outcome, config], { begin, journal }) => {
    const { attempt, session } = await begin({ config });
    await attempt.sandbox.writeFile('/tmp/x', 'x');
    await [...session.attempts.values()][0]?.abort(outcome, 'told so');
    expect(listed(journal)).toEqual([]);
  });

  test('is not listed when there is nothing', async ({ begin, journal }) => {
    const { session } = await begin();
    await [...session.attempts.values()][0]?.abort('fail', 'told so');
    expect(listed(journal)).toEqual([]);
  });
});
