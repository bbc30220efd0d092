/** Byte strings taken out in order, whatever the order they came in: a binary heap. */
export class SortedQueue {
  readonly #heap: string[] = [];

  /** The least one, left in its place; undefined when there is none. */
  get least(): string | undefined {
    return this.#heap[0];
  }

  add(text: string): void {
    const heap = this.#heap;
    let at = heap.push(text) - 1;
    while (at > 0) {
      const above = (at - 1) >>> 1;
      if (heap[above]! <= text) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = text;
  }

  /** Takes the least one out. */
  take(): string | undefined {
    const least = this.#heap[0];
    const last = this.#heap.pop();
    if (this.#heap.length > 0) this.#sink(last!);
    return least;
  }

  /** Puts `text` where the least one was, and lower until it is above none that is less. */
  #sink(text: string): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]! < heap[below]!) below++;
      if (heap[below]! >= text) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = text;
  }
}
