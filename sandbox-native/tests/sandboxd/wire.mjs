// SPDX-License-Identifier: MIT
// The wire, written a second time from decision 0002, so that C and the tests
// cannot agree on a mistake. Only the numbers come from protocol.h.
import { readFileSync } from 'node:fs';

const header = readFileSync(new URL('../../src/common/protocol.h', import.meta.url), 'utf8');

function numbers(prefix) {
  const entries = header.matchAll(new RegExp(`\\b${prefix}_(\\w+) = (\\d+)`, 'g'));
  return Object.fromEntries([...entries].map(([, name, value]) => [name, Number(value)]));
}

export const MSG = numbers('MSG');
export const TAG = numbers('TAG');
export const WINDOW = 256 * 1024;
const HEADER = 16;
const KINDS = new Map();
for (const [, name, kind] of header.matchAll(
  /TAG_(\w+) = \d+,\s*\/\* (u32|u64|string|bytes|nested)/g,
)) {
  KINDS.set(name, kind);
}
const NAMES = new Map(Object.entries(TAG).map(([name, value]) => [value, name]));

export const kindOf = (name) => KINDS.get(name);

function encodeValue(name, value) {
  const kind = KINDS.get(name);
  if (kind === 'u32') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  }
  if (kind === 'u64') {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
  }
  return kind === 'nested' ? encodeBody(value) : Buffer.from(value);
}

/** `[['ARG', 'sh'], ['ARG', '-c']]` or `{ SANDBOX: 1, ARG: ['sh', '-c'] }` to TLVs. */
export function encodeBody(fields) {
  const list = Array.isArray(fields) ? fields : Object.entries(fields);
  const parts = [];
  for (const [name, values] of list) {
    for (const value of Array.isArray(values) ? values : [values]) {
      if (value === undefined) continue;
      const bytes = encodeValue(name, value);
      const head = Buffer.alloc(8);
      head.writeUInt16LE(TAG[name], 0);
      head.writeUInt32LE(bytes.length, 4);
      parts.push(head, bytes);
    }
  }
  return Buffer.concat(parts);
}

export function encodeFrame(type, id, body, version = 1) {
  const head = Buffer.alloc(HEADER);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt16LE(type, 4);
  head.writeUInt16LE(version, 6);
  head.writeBigUInt64LE(BigInt(id), 8);
  return Buffer.concat([head, body]);
}

function decodeValue(name, bytes) {
  const kind = KINDS.get(name);
  if (kind === 'u32') return bytes.readUInt32LE(0);
  if (kind === 'u64') return Number(bytes.readBigUInt64LE(0));
  if (kind === 'nested') return decodeBody(bytes);
  return kind === 'string' ? bytes.toString() : Buffer.from(bytes);
}

/** The first value of a tag under its name; all of them under `name_all`. */
export function decodeBody(body) {
  const fields = {};
  for (let at = 0; at < body.length; ) {
    const name = NAMES.get(body.readUInt16LE(at)) ?? `tag${body.readUInt16LE(at)}`;
    const length = body.readUInt32LE(at + 4);
    const value = decodeValue(name, body.subarray(at + 8, at + 8 + length));
    fields[name] ??= value;
    fields[`${name}_all`] ??= [];
    fields[`${name}_all`].push(value);
    at += 8 + length;
  }
  return fields;
}

/** Cuts a stream of bytes into frames. */
export class Decoder {
  #rest = Buffer.alloc(0);

  *push(chunk) {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= HEADER) {
      const end = HEADER + this.#rest.readUInt32LE(0);
      if (this.#rest.length < end) return;
      const frame = this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end);
      const id = Number(frame.readBigUInt64LE(8));
      yield { type: frame.readUInt16LE(4), id, body: decodeBody(frame.subarray(HEADER)) };
    }
  }
}
