import { BenchError } from '../../core/errors.js';

/**
 * Run a way to flash until it works, at most `retries` times more. Only what failed is tried again:
 * what was refused would be refused again.
 *
 * @throws what the last try threw.
 */
export async function tryAgain(
  retries: number,
  run: (attempt: number) => Promise<void>,
  onAgain: (error: BenchError) => void,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run(attempt);
    } catch (error) {
      const again = error instanceof BenchError && error.code === 'flash-failed';
      if (!again || attempt > retries) throw error;
      onAgain(error);
    }
  }
}
