/** Walks what lies in each other with a list of what is open in place of the stack: a tree may be ten thousand folders deep. */

export type Items<Item> = AsyncIterable<Item> | Iterable<Item> | Promise<Iterable<Item>>;

/**
 * Gives items, each before what lies in it.
 *
 * @param inside What lies in an item; undefined where nothing can. Asked when the item has been dealt with.
 */
export async function* depthFirst<Item>(
  first: Items<Item>,
  inside: (item: Item) => Items<Item> | undefined,
): AsyncGenerator<Item> {
  const open = [await iteratorOf(first)];
  try {
    for (let last = open.at(-1); last; last = open.at(-1)) {
      const next = await last.next();
      if (next.done) {
        open.pop();
        continue;
      }
      yield next.value;
      const within = inside(next.value);
      if (within) open.push(await iteratorOf(within));
    }
  } finally {
    for (const iterator of open.reverse()) await iterator.return?.();
  }
}

async function iteratorOf<Item>(items: Items<Item>): Promise<AsyncIterator<Item> | Iterator<Item>> {
  const given = await items;
  return Symbol.asyncIterator in given ? given[Symbol.asyncIterator]() : given[Symbol.iterator]();
}
