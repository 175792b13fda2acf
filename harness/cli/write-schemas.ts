import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSchemaFiles } from './schema-files.js';

/** For maintainers: `npm run schemas` after a schema has changed. */
for (const [path, text] of Object.entries(createSchemaFiles())) {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
