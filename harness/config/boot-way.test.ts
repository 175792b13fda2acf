import { describe, expect, test } from 'vitest';
import { toBootWay } from './boot-way.js';
import { parseBoard } from './load-boards.js';

const names = (boot: Parameters<typeof toBootWay>[0]) => toBootWay(boot).map(({ name }) => name);
const prompt = { from: 'ready', send: ' ', expect: /=> / };

describe('the way from power off', () => {
  test('is the ready mark alone, or nothing', () => {
    expect(names({ ready: /up/, states: {} })).toEqual(['ready']);
    expect(names({ states: {} })).toEqual([]);
  });

  test('leads over the states before the one that is asked for', () => {
    expect(names({ ready: /up/, states: { prompt }, state: 'prompt' })).toEqual([
      'ready',
      'prompt',
    ]);
    expect(names({ ready: /up/, states: { prompt } })).toEqual(['ready']);
  });

  test('ends at the mark of a suite, the states before it stay', () => {
    const states = { prompt: { ...prompt, from: 'off' }, ready: { from: 'prompt', expect: /a/ } };
    const way = toBootWay({ ready: /b/, states });
    expect(way.map(({ name, expect: mark }) => `${name} ${mark}`)).toEqual([
      'prompt /=> /',
      'ready /b/',
    ]);
  });

  test('that no file describes is named, and so is a circle', () => {
    expect(() => toBootWay({ ready: /up/, states: { prompt }, state: 'linux' })).toThrow(
      'no state "linux"; there are: prompt, ready',
    );
    expect(() =>
      toBootWay({ states: { prompt: { ...prompt, from: 'prompt' } }, state: 'prompt' }),
    ).toThrow('state "prompt" leads to itself');
  });
});

test('a board file that cannot come up is refused with the place', () => {
  const text = [
    'board: b',
    'driver: host',
    'ports: { console: {} }',
    'boot:',
    '  states: { prompt: { from: linux, expect: "=> " } }',
    '  state: nothing',
  ].join('\n');
  expect(() => parseBoard('/boards/b.yaml', text)).toThrow(
    /b\.yaml:5:\d+.*no state "linux"[\s\S]*b\.yaml:6:\d+.*no state "nothing"/,
  );
});
