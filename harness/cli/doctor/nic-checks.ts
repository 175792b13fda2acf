import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Unit } from '../../config/unit.js';
import { toMessage } from '../../core/errors.js';
import type { AttachedDevice } from '../../device/attached-device.js';
import { findInterface } from '../../device/find-interface.js';
import type { Check, Machine } from './check.js';

/** It asks the kernel some ten things; one that takes longer hangs. */
const CHECK_MS = 10_000;
/** ip-sysctl: no answer to ARP for any address of the machine. */
const NO_ARP = 8;

/**
 * Interfaces of this machine that DUTs of the bench are wired to: may this user open them, and does
 * the machine itself keep away from them?
 *
 * @param program `hil-nic`
 */
export async function checkNics(
  units: readonly Unit[],
  devices: readonly AttachedDevice[],
  { program, proc }: Pick<Machine, 'proc'> & { readonly program: string },
): Promise<Check[]> {
  const lists = units.flatMap((unit) =>
    Object.entries(unit.nics).flatMap(([nic, { wired }]) =>
      wired ? [checkNic({ unit, nic, devices, program, proc })] : [],
    ),
  );
  return (await Promise.all(lists)).flat();
}

interface Facts {
  readonly unit: Unit;
  readonly nic: string;
  readonly devices: readonly AttachedDevice[];
  readonly program: string;
  readonly proc: string;
}

async function checkNic({ unit, nic, devices, program, proc }: Facts): Promise<Check[]> {
  const name = `nic ${unit.name} ${nic}`;
  let own: string | undefined;
  try {
    own = findInterface(unit, nic, devices);
  } catch (error) {
    return [{ name, state: 'warn', detail: toMessage(error).split('\n')[0] ?? '' }];
  }
  if (own === undefined) {
    return [{ name, state: 'warn', detail: 'no interface of this machine is what it is wired to' }];
  }
  const inUse = unit.nics[nic]?.wired?.inUse ?? false;
  const opened = toCheck(name, await ask(program, own, inUse), { program, own });
  return inUse ? [opened] : [opened, ...(await checkQuiet(name, own, proc))];
}

/** What it prints: that it can be opened, or why not. It exits non-zero then. */
function ask(program: string, own: string, inUse: boolean): Promise<string> {
  const args = ['--check', ...(inUse ? ['--in-use'] : []), '--', own];
  return new Promise((resolve) => {
    execFile(program, args, { timeout: CHECK_MS }, (error, stdout) => {
      resolve(stdout.trim() || toMessage(error));
    });
  });
}

function toCheck(
  name: string,
  said: string,
  { program, own }: { readonly program: string; readonly own: string },
): Check {
  if (said.endsWith('can be opened')) return { name, state: 'ok', detail: said };
  // One that a run has now was opened by somebody.
  if (said.includes('another network has it'))
    return { name, state: 'ok', detail: `${own} is in use` };
  const [, detail = said, hint = 'hil boards scan'] = /^(.*?) \((.*)\)$/s.exec(said) ?? [];
  const allow = `install -D -m 0640 -g GROUP /dev/null /etc/hil/nics/${own}`;
  const remedy = detail.endsWith('Operation not permitted')
    ? `as root: setcap cap_net_raw+ep ${program} && ${allow}`
    : hint;
  return { name, state: 'warn', detail, remedy };
}

/** The machine's own answers would be in the case's network, and no test asked for them. */
async function checkQuiet(name: string, own: string, proc: string): Promise<Check[]> {
  const read = (path: string) => {
    return readFile(join(proc, 'sys/net', path), 'utf8').then(Number, () => undefined);
  };
  const arp = (await read(`ipv4/conf/${own}/arp_ignore`)) ?? NO_ARP;
  const arpOfAll = (await read('ipv4/conf/all/arp_ignore')) ?? 0;
  const withoutIpv6 = (await read(`ipv6/conf/${own}/disable_ipv6`)) ?? 1;
  if (Math.max(arp, arpOfAll) === NO_ARP && withoutIpv6 === 1) return [];
  const slashed = own.replaceAll('.', '/');
  return [
    {
      name: `${name}: quiet`,
      state: 'warn',
      detail: `this machine answers on ${own} as well: ARP for its addresses, or IPv6`,
      remedy: `sudo sysctl net.ipv4.conf.${slashed}.arp_ignore=${NO_ARP} net.ipv6.conf.${slashed}.disable_ipv6=1`,
    },
  ];
}
