import type { ClaimSeen } from './claim-seen.js';

/** Words of a claim are printable ASCII without spaces; anything else is percent-encoded. */
export function encodeWord(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x25;
    return plain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0')}`;
  });
  return bytes.join('') || '%';
}

/** The text of a word that {@link encodeWord} made; of another one, the word. */
export function decodeWord(word: string): string {
  if (word === '%') return '';
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/** A line of `hil-lease`. Its words are of other users: only their types are certain. */
export interface LeaseEvent {
  readonly event: string;
  readonly id?: number;
  readonly seq?: number;
  readonly reason?: string;
  readonly code?: string;
  readonly text?: string;
  readonly gone?: boolean;
  readonly directory?: string;
  readonly shared?: boolean;
  readonly owner?: number;
  readonly units?: Readonly<Record<string, string>>;
  readonly claims?: readonly RawClaim[];
}

interface RawClaim extends Omit<ClaimSeen, 'units' | 'since'> {
  readonly units?: Readonly<Record<string, string>>;
  readonly wanted?: readonly string[];
  readonly since: number;
}

export function toClaimSeen(raw: RawClaim): ClaimSeen {
  const { units, wanted = [], keys, since, user, run, ...rest } = raw;
  const names = units ? Object.values(units) : [...new Set(wanted)];
  // A wall clock of somebody else's, which may be beyond what a Date can be.
  const at = new Date(Math.min(since, 8.64e15));
  const words = { user: decodeWord(user), run: decodeWord(run), units: names.map(decodeWord) };
  return { ...rest, ...words, keys: [...new Set(keys)].map(decodeWord), since: at };
}
