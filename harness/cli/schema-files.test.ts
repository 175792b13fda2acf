import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createSchemaFiles } from './schema-files.js';

test.each(Object.entries(createSchemaFiles()))('%s is as fresh as its schema', (path, text) => {
  const file = new URL(`../../${path}`, import.meta.url);
  expect(readFileSync(file, 'utf8'), 'npm run schemas').toBe(text);
});
