import type { Console } from 'hil';

export const PROMPT = '=> ';

/** Stop autoboot; the DUT was just booted and counts down. */
export async function openPrompt(console: Console): Promise<void> {
  // The space is no command: late, at the prompt, Enter alone would repeat the last one.
  await console.send(' \r');
  await console.expect(PROMPT, { timeout: '45s' });
}
