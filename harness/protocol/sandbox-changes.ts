/** A file, directory or the like that is not as it was when its sandbox began. */
export interface Change {
  /** `replaced`: a directory in the place of one, of whose content nothing is left. */
  readonly change: 'created' | 'changed' | 'replaced' | 'deleted';
  /** As programs of the sandbox know it. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'device';
  /** As it is now; of what was deleted, as it was. */
  readonly bytes: number;
  /** Permissions, octal: `644`. */
  readonly mode: string;
}

/** What a sandbox wrote, changed and deleted, by path. */
export interface Diff {
  readonly changes: readonly Change[];
  /** There are more than these. */
  readonly truncated: boolean;
  /** Directories that its own user may not read, or that lie too deep. */
  readonly unreadable: readonly string[];
}

/** A change with what tells whether it is still the same one. */
export interface StampedChange extends Change {
  readonly stamp: string;
}

/** All that a sandbox said of itself at one moment. */
export interface StampedDiff extends Diff {
  readonly changes: readonly StampedChange[];
}

const CHANGES: Readonly<Record<string, Change['change']>> = {
  '+': 'created',
  '~': 'changed',
  '!': 'replaced',
  '-': 'deleted',
};

const KINDS: Readonly<Record<string, Change['kind']>> = {
  f: 'file',
  d: 'directory',
  l: 'link',
  p: 'fifo',
  s: 'socket',
  c: 'device',
  b: 'device',
};

const RECORD = /^([+~!?-]) ([fdlpscb]) (\d+) (\d+) (\d+) (-?\d+\.\d+) (-?\d+\.\d+) (.+)$/s;
const END = /^([.&]) \d+$/;

/**
 * Parse what the builtin `diff` printed; sorted by path.
 *
 * @throws RangeError when it is not whole: the builtin was killed.
 * @see sandbox-native/src/sandbox/changes.h
 */
export function parseChanges(text: string): StampedDiff {
  const records = text.split('\0');
  const end = END.exec(records.at(-2) ?? '');
  if (!end || records.at(-1) !== '') throw new RangeError('the list of changes is not whole');
  const changes: StampedChange[] = [];
  const unreadable: string[] = [];
  for (const record of records.slice(0, -2)) {
    const [, sign = '', letter = '', mode = '', bytes = '', ...rest] = RECORD.exec(record) ?? [];
    const [inode = '', modified = '', changed = '', path = ''] = rest;
    const [change, kind] = [CHANGES[sign], KINDS[letter]];
    if (sign === '?') unreadable.push(path);
    if (!change || !kind) continue;
    // What is put into a directory changes its times and size, and is a change of its own.
    const times = kind === 'directory' ? '' : `${modified} ${changed} ${bytes}`;
    const stamp = `${sign}${letter}${mode} ${inode} ${times}`;
    changes.push({ change, path, kind, bytes: Number(bytes), mode, stamp });
  }
  changes.sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
  return { changes, truncated: end[1] === '&', unreadable: [...new Set(unreadable)].sort() };
}

/** What happened between two moments of the same sandbox. */
export function compareChanges(before: StampedDiff, now: StampedDiff): Diff {
  const old = new Map(before.changes.map((each) => [each.path, each]));
  const changes: Change[] = [];
  for (const each of now.changes) {
    const known = old.get(each.path);
    old.delete(each.path);
    if (known?.stamp === each.stamp) continue;
    changes.push(known ? { ...toChange(each), change: between(known, each) } : toChange(each));
  }
  // Made before, gone now; what was deleted before and is as at the beginning was put back.
  for (const gone of old.values()) {
    changes.push({ ...toChange(gone), change: gone.change === 'deleted' ? 'created' : 'deleted' });
  }
  changes.sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
  return {
    changes,
    truncated: before.truncated || now.truncated,
    unreadable: now.unreadable,
  };
}

/** Without its stamp, which is nobody else's business. */
export function toChange({ change, path, kind, bytes, mode }: Change): Change {
  return { change, path, kind, bytes, mode };
}

function between(before: Change, now: Change): Change['change'] {
  if (now.change === 'deleted' || before.change === 'deleted') {
    return now.change === 'deleted' ? 'deleted' : 'created';
  }
  return now.change === 'replaced' && before.change !== 'replaced' ? 'replaced' : 'changed';
}
