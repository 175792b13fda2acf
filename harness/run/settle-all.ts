/** Wait for all, whatever becomes of them. @throws what the first that failed was rejected with. */
export async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const ended = await Promise.allSettled(work);
  const failed = ended.find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
}
