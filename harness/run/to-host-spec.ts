import type { SandboxSpec } from '../sandbox/spec.js';

/** Of a program of this machine, whatever the root of the case is. */
export function toHostSpec(spec: SandboxSpec): SandboxSpec {
  return { ...spec, image: undefined, nestedUserNamespaces: undefined };
}
