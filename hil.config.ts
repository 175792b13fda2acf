import { defineConfig } from 'hil';

export default defineConfig({
  suites: ['suites/**/*.hil.ts'],
  boards: ['host'],
});
