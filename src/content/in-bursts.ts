/** Items in lists, as they come together. */

/**
 * Gives the items that come without a wait as one list, of `most` items at most: so what is done once a list is done
 * soon, and seldom. The next item is asked for while the caller works on a list.
 */
export async function* inBursts<Item>(items: AsyncIterable<Item>, most: number): AsyncGenerator<Item[]> {
  const iterator = items[Symbol.asyncIterator]();
  let burst: Item[] = [];
  try {
    for (;;) {
      const next = iterator.next();
      next.catch(() => undefined); // told below, once the caller has had what came before
      if (burst.length >= most || (burst.length > 0 && !(await comesAtOnce(next)))) {
        yield burst;
        burst = [];
      }
      const result = await next;
      if (result.done === true) break;
      burst.push(result.value);
    }
    if (burst.length > 0) yield burst;
  } finally {
    await iterator.return?.();
  }
}

function comesAtOnce(next: Promise<unknown>): Promise<boolean> {
  const came = () => true;
  return Promise.race([
    next.then(came, came),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ]);
}
