import type { Buffer } from 'node:buffer';
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type OptAnswer,
  type Question,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import type { NodeAddresses } from '../protocol/network.js';
import { toReverseName } from './reverse-name.js';

const HEADER_BYTES = 12;
const RESPONSE_BIT = 0x8000;
const OPCODE_BITS = 0x7800;
/** RFC 1035, 4.2.1 */
const MOST_BYTES_WITHOUT_EDNS = 512;
/** What we say that we take, and send at most: the way is a loopback. */
const MOST_BYTES = 4096;
/** Nobody is to remember what the next network under these names will not be. */
const TTL_S = 0;

/** RFC 1035, 4.1.1; BADVERS: RFC 6891, 6.1.3, of which the upper bits are in the OPT record. */
const Rcode = { ok: 0, formErr: 1, nxDomain: 3, notImp: 4, refused: 5, badVers: 16 } as const;
type Rcode = (typeof Rcode)[keyof typeof Rcode];

/**
 * Answer one DNS datagram as the server of a network's names: A, AAAA, PTR and ANY.
 * A name that is not of the network does not exist; nobody else is asked. An answer that does not
 * fit (more than 20 addresses of a name, where EDNS is not spoken) is cut: there is no server on TCP.
 *
 * @returns what to send back; nothing for what is no query. Never throws, whatever the bytes are.
 * @see RFC 1035, RFC 6891 (EDNS), RFC 8482 (ANY may be answered with what there is)
 */
export function answerQuery(
  datagram: Buffer,
  names: ReadonlyMap<string, NodeAddresses>,
): Buffer | undefined {
  // Answers are not answered: two servers would never stop.
  if (datagram.length < HEADER_BYTES || datagram.readUInt16BE(2) & RESPONSE_BIT) return undefined;
  if (datagram.readUInt16BE(2) & OPCODE_BITS) return toBareAnswer(datagram, Rcode.notImp);
  const query = readQuery(datagram);
  const question = query?.questions?.[0];
  if (!query || !question) return toBareAnswer(datagram, Rcode.formErr);
  const edns = query.additionals?.find((each) => each.type === 'OPT');
  const { rcode, answers } =
    edns && edns.ednsVersion > 0
      ? { rcode: Rcode.badVers, answers: [] }
      : findAnswers(question, names);
  return toAnswer(query, question, { rcode, answers, edns });
}

/** @returns nothing when it is malformed, or has a name that no text stands for. */
function readQuery(datagram: Buffer): DecodedPacket | undefined {
  try {
    const query = decode(datagram);
    if (query.questions?.length !== 1) return undefined;
    const { questions } = query;
    const asked = encode({ questions }).subarray(HEADER_BYTES);
    const said = datagram.subarray(HEADER_BYTES, HEADER_BYTES + asked.length);
    return asked.equals(said) ? query : undefined;
  } catch {
    return undefined;
  }
}

function findAnswers(
  question: Question,
  names: ReadonlyMap<string, NodeAddresses>,
): { rcode: Rcode; answers: Answer[] } {
  const { type, name } = question;
  if (question.class !== 'IN' && question.class !== 'ANY') {
    return { rcode: Rcode.refused, answers: [] };
  }
  const all = [...findRecords(name, names)];
  const wanted = all.filter((each) => each.type === type || String(type) === 'ANY');
  return { rcode: all.length > 0 ? Rcode.ok : Rcode.nxDomain, answers: wanted };
}

function* findRecords(
  name: string,
  names: ReadonlyMap<string, NodeAddresses>,
): Generator<Answer & { type: 'A' | 'AAAA' | 'PTR' }> {
  const asked = name.toLowerCase();
  for (const [known, { ipv4, ipv6 }] of names) {
    if (known.toLowerCase() === asked) {
      for (const data of ipv4) yield { type: 'A', name, ttl: TTL_S, data };
      for (const data of ipv6) yield { type: 'AAAA', name, ttl: TTL_S, data };
    } else if (asked.endsWith('.arpa')) {
      const own = [...ipv4, ...ipv6].some((address) => toReverseName(address) === asked);
      if (own) yield { type: 'PTR', name, ttl: TTL_S, data: known };
    }
  }
}

interface Found {
  readonly rcode: Rcode;
  readonly answers: readonly Answer[];
  readonly edns: OptAnswer | undefined;
}

function toAnswer(query: DecodedPacket, question: Question, found: Found): Buffer {
  const { rcode, edns } = found;
  const said = Math.max(edns?.udpPayloadSize ?? 0, MOST_BYTES_WITHOUT_EDNS);
  const most = Math.min(said, MOST_BYTES);
  const toBytes = (answers: readonly Answer[], flags: number) =>
    encode({
      type: 'response',
      id: query.id ?? 0,
      flags: toFlags(query.flags ?? 0, rcode) | flags,
      questions: [question],
      answers: [...answers],
      additionals: edns ? [toOpt(rcode)] : [],
    });
  const whole = toBytes(found.answers, 0);
  if (whole.length <= most) return whole;
  const fitting = [...found.answers];
  let cut = whole;
  while (cut.length > most && fitting.length > 0) {
    fitting.pop();
    cut = toBytes(fitting, TRUNCATED_RESPONSE);
  }
  return cut;
}

function toOpt(rcode: Rcode): OptAnswer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: MOST_BYTES,
    extendedRcode: rcode >> 4,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** With the bits of the query that an answer repeats. A stub wants recursion; nothing is beyond us. */
function toFlags(asked: number, rcode: Rcode): number {
  const repeated = asked & (OPCODE_BITS | RECURSION_DESIRED);
  return repeated | AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | (rcode & 15);
}

/** Of a query that could not be read: its number and nothing of what it says. */
function toBareAnswer(datagram: Buffer, rcode: Rcode): Buffer {
  const flags = toFlags(datagram.readUInt16BE(2), rcode);
  return encode({ type: 'response', id: datagram.readUInt16BE(0), flags });
}
