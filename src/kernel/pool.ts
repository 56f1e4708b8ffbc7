// A sliding window over work: as soon as one ends the next begins, and one that hangs stalls nobody else.

/** Runs `work` for each item, at most `concurrency` at once, and returns the outcomes in the order of the items. */
export async function mapPool<T, R>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = Array.from({length: items.length});
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next;
      next += 1;
      try {
        results[index] = {status: 'fulfilled', value: await work(items[index] as T, index)};
      } catch (reason) {
        results[index] = {status: 'rejected', reason};
      }
    }
  };
  await Promise.all(Array.from({length: Math.max(1, Math.min(concurrency, items.length))}, lane));
  return results;
}
