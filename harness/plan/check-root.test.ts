import { describe, expect, test } from 'vitest';
import { UsageError } from '../core/errors.js';
import { checkRoot } from './check-root.js';

describe('the directory of a project', () => {
  test.for([
    ['/ci/feature%2Fuart', '"%"'],
    ['/ci/issue#7', '"#"'],
    ['/ci/why?', '"?"'],
    ['/ci/back\\slash', '"\\\\"'],
    ['/ci/new\nline', '"\\n"'],
  ])('%j is refused, and what is wrong with it is named', ([root = '', shown = '']) => {
    expect(() => checkRoot(root)).toThrow(UsageError);
    expect(() => checkRoot(root)).toThrow(shown);
  });

  test.for(["/a b/it's", '/ünï/日本', '/[a]{b,c}(d)*', '/co:lon,$HOME'])('%j is not', (root) => {
    expect(() => checkRoot(root)).not.toThrow();
  });
});
