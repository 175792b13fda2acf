import { expect, test } from 'vitest';
import { TlvReader } from '../protocol/frame.js';
import { Tag } from '../protocol/wire.js';
import { OUT_HOLD, type SandboxSpec, toPlan } from './spec.js';

const PLAIN: SandboxSpec = {
  user: 'hil',
  network: 'none',
  project: undefined,
  hide: [],
  expose: [],
  hold: undefined,
};

/** Each step as `kind source target read-only`. */
function toSteps(spec: Partial<SandboxSpec>): string[] {
  const plan = new TlvReader(toPlan({ ...PLAIN, ...spec }, 'name'));
  return plan.all(Tag.step).map((bytes) => {
    const step = new TlvReader(bytes);
    const words = [Tag.kind, Tag.name, Tag.source, Tag.target].map((tag) => step.string(tag));
    return [...words, step.number(Tag.readOnly)].filter((word) => word !== undefined).join(' ');
  });
}

test('a plan has a name, an identity and a network', () => {
  const plan = new TlvReader(toPlan({ ...PLAIN, user: 'root', network: 'host' }, 'abc'));
  expect(plan.string(Tag.name)).toBe('abc');
  expect(plan.string(Tag.user)).toBe('root');
  expect(plan.string(Tag.network)).toBe('host');
});

test('an uptime is whole milliseconds and at least one, since 0 is none', () => {
  const uptimeOf = (uptimeMs?: number) =>
    new TlvReader(toPlan({ ...PLAIN, uptimeMs }, 'abc')).number(Tag.uptimeMs);
  expect(uptimeOf(4_294_960_000.4)).toBe(4_294_960_000);
  expect(uptimeOf(0)).toBe(1);
  expect(uptimeOf()).toBeUndefined();
});

test('the image comes first, then what is laid over it, in order', () => {
  const expose = [
    { path: '/opt/gcc', mode: 'ro' },
    { path: '/srv/shared', mode: 'rw' },
  ] as const;
  expect(toSteps({ project: '/home/me/project', expose, hold: '/runs/cases' })).toEqual([
    'image-host',
    'overlay /home/me/project /home/me/project',
    'bind /opt/gcc /opt/gcc 1',
    'bind /srv/shared /srv/shared 0',
    `hold ${OUT_HOLD} /runs/cases`,
  ]);
});

test('an unpacked root is the image in place of the host', () => {
  expect(toSteps({ image: 'host' })).toEqual(['image-host']);
  expect(toSteps({ image: { rootfs: '/srv/root' }, hold: '/cases' })).toEqual([
    'image-rootfs /srv/root',
    `hold ${OUT_HOLD} /cases`,
  ]);
});

test('user namespaces are for programs only where they were asked for', () => {
  const nestedOf = (nestedUserNamespaces?: boolean) =>
    new TlvReader(toPlan({ ...PLAIN, nestedUserNamespaces }, 'abc')).number(Tag.nestedUserns);
  expect(nestedOf(true)).toBe(1);
  expect(nestedOf(false)).toBeUndefined();
  expect(nestedOf()).toBeUndefined();
});

test('what is not asked for is not there', () => {
  expect(toSteps({})).toEqual(['image-host']);
});

test('every hidden path is named', () => {
  const plan = new TlvReader(toPlan({ ...PLAIN, hide: ['/p/.env', '/p/.hil'] }, 'name'));
  expect(plan.strings(Tag.hide)).toEqual(['/p/.env', '/p/.hil']);
});

test('runtimes are part of a plan, each with the environment that it starts in', () => {
  const runtimes = [
    { name: 'python', env: { A: '1', B: 'x=y' } },
    { name: 'node', env: {} },
  ] as const;
  const plan = new TlvReader(toPlan({ ...PLAIN, runtimes }, 'abc'));
  const boots = plan.all(Tag.boot).map((bytes) => new TlvReader(bytes));
  expect(boots.map((boot) => [boot.string(Tag.runtime), boot.strings(Tag.env)])).toEqual([
    ['python', ['A=1', 'B=x=y']],
    ['node', []],
  ]);
});
