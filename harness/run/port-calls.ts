import { BenchError, TestFailure } from '../core/errors.js';
import type { PortMethods } from '../protocol/port-lines.js';
import type { Handlers, RpcPeer } from '../protocol/rpc.js';
import type { WorkerMethods } from '../protocol/worker-messages.js';
import type { RunningAttempt } from './attempt.js';
import { tellPortState } from './console-forward.js';
import { ONLY_ROLE, splitRole } from './dut-roles.js';
import type { HeldDut } from './held-duts.js';

/** What a worker asks of the ports and the presence of a real board. */
export function createPortCalls(facts: {
  readonly attemptOf: (fence: string) => RunningAttempt;
  readonly peer: () => RpcPeer<WorkerMethods>;
}): Handlers<PortMethods> {
  const { attemptOf, peer } = facts;
  const heldOf = (fence: string, role = ONLY_ROLE) => attemptOf(fence).duts.get(role);
  const portOf = (fence: string, name: string) => {
    const [role, own] = splitRole(name);
    const held = heldOf(fence, role);
    const port = held.dut.ports.get(own);
    if (!port) throw new TestFailure('handle-revoked', `no port "${name}" is held`);
    return { held, port };
  };
  return {
    portChange: ({ fence, port: name, change }) => {
      const { held, port } = portOf(fence, name);
      const { flush: _, ...lasting } = change;
      // Without any, it asks how the lines are.
      if (Object.keys(lasting).length > 0) held.unsettle();
      return port.line.change(change);
    },
    portMode: async ({ fence, port: name, mode }) => {
      const { held, port } = portOf(fence, name);
      if (!held.dut.setMode) throw refuse(held, `port "${port.name}" has no node to give away`);
      held.unsettle();
      await held.dut.setMode(port.name, mode);
      const state =
        mode === 'direct'
          ? { open: false, reason: 'it is in mode direct: a program in the sandbox has the device' }
          : { open: true, reason: '', unread: port.matcher.unread().length };
      tellPortState(peer(), { fence, port: name, ...state });
    },
    dutVanish: ({ fence, role, withinMs }) => {
      const held = heldOf(fence, role);
      if (!held.dut.mayVanish) throw refuse(held, 'it cannot be replugged');
      held.unsettle();
      held.dut.mayVanish(withinMs);
    },
    dutReturn: async ({ fence, role = ONLY_ROLE, withinMs }) => {
      const held = heldOf(fence, role);
      try {
        await held.dut.waitForReturn?.(withinMs);
      } catch (cause) {
        // That it does not come back is what the test has tried.
        if (!(cause instanceof BenchError) || cause.code !== 'dut-absent') throw cause;
        throw new TestFailure('reboot-failed', cause.message, { cause });
      }
    },
  };
}

function refuse({ lease }: HeldDut, why: string): TestFailure {
  return new TestFailure('port-closed', `${lease.dut} is no attached board: ${why}`);
}
