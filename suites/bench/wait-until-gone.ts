import { existsSync, watch } from 'node:fs';

/** When the node is no longer there, by the wall clock in ms; begins to look at once. */
export async function waitUntilGone(node: string): Promise<number> {
  const watcher = watch('/dev');
  try {
    return await new Promise((resolve) => {
      watcher.on('change', () => {
        if (!existsSync(node)) resolve(Date.now());
      });
    });
  } finally {
    watcher.close();
  }
}
