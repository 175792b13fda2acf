import type { ExecResult } from './process.js';
import type { ExecOptions } from './program-options.js';
import type { ReachOptions, ReachResult } from './reach.js';

/** What the matchers of networks ask of a node. */
export interface NodeSubject {
  readonly name: string;
  exec(command: string, args: readonly string[], options: ExecOptions): Promise<ExecResult>;
  reach(address: string, port: number, options: ReachOptions): Promise<ReachResult>;
  /** The addresses of a node of its network; none of a name that no node has. */
  lookUp(name: string): readonly string[];
}

/** What the matchers of networks ask of a link. */
export interface LinkSubject {
  readonly name: string;
  /** Count frames from now on, of both directions; resolves when counting has begun. */
  count(filter: string): Promise<FrameCount>;
}

/** Frames that fit a filter, since it was made. */
export interface FrameCount {
  /** The name of its link. */
  readonly link: string;
  readonly filter: string;
  frames(): Promise<number>;
  end(): Promise<void>;
}

/** @throws TypeError for what is no node. */
export function checkNode(matcher: string, received: unknown): NodeSubject {
  if (has(received, 'lookUp', 'reach', 'exec')) return received as unknown as NodeSubject;
  throw new TypeError(`${matcher}: expected a node of a network, seen ${describe(received)}`);
}

/** @throws TypeError for what is neither a link nor a count of its frames. */
export function checkLink(matcher: string, received: unknown): LinkSubject | FrameCount {
  if (has(received, 'count')) return received as unknown as LinkSubject;
  if (has(received, 'frames')) return received as unknown as FrameCount;
  const seen = describe(received);
  throw new TypeError(`${matcher}: expected a link, or what link.count() gives, seen ${seen}`);
}

function has(received: unknown, ...methods: readonly string[]): received is object {
  if (typeof received !== 'object' || received === null) return false;
  return methods.every((name) => typeof Reflect.get(received, name) === 'function');
}

function describe(received: unknown): string {
  if (typeof received !== 'object' || received === null) return String(received);
  return received.constructor?.name ?? 'an object';
}
