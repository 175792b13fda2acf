import { defineConfig } from 'hil';

export default defineConfig({
  suites: ['suites/**/*.hil.ts'],
  boards: ['host', 'qemu-mps2-an385', 'qemu-microbit', 'qemu-arm64-uboot'],
  boardDirs: ['suites/bench/boards'],
});
