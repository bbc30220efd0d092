/** Doing some things at once without losing their order. */

/**
 * The values of `map` in the order of `items`, up to `atOnce` of them under way. After a failure, or when the caller
 * leaves early, what is under way is waited for, so that nothing goes on behind anybody's back.
 */
export async function* mapInOrder<In, Out>(
  items: AsyncIterable<In> | Iterable<In>,
  atOnce: number,
  map: (item: In) => Promise<Out>,
): AsyncGenerator<Out> {
  const underway: Promise<Out>[] = [];
  try {
    for await (const item of items) {
      const value = map(item);
      value.catch(() => undefined); // told below to who waits for it; a failure before it comes first
      underway.push(value);
      if (underway.length >= atOnce) yield await underway.shift()!;
    }
    while (underway.length > 0) yield await underway.shift()!;
  } finally {
    await Promise.allSettled(underway);
  }
}
