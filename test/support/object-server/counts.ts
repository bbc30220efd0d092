/** Requests and bytes of bodies, by operation. */

export interface Count {
  requests: number;
  /** Bytes of the requests' bodies, frames included. */
  receivedBytes: number;
  /** Bytes of the answers' bodies. */
  sentBytes: number;
}

export interface Counts {
  /** Since the start or the last `reset()`, by the store's names of operations. */
  readonly byOperation: Readonly<Record<string, Count>>;
  reset(): void;
}

export interface Counted {
  received(bytes: number): void;
  sent(bytes: number): void;
}

export function counter(): Counts & { begin(operation: string): Counted } {
  let counts: Record<string, Count> = {};
  return {
    get byOperation() {
      return counts;
    },
    reset: () => void (counts = {}),
    begin(operation) {
      const count = (counts[operation] ??= { requests: 0, receivedBytes: 0, sentBytes: 0 });
      count.requests++;
      return {
        received: (bytes) => void (count.receivedBytes += bytes),
        sent: (bytes) => void (count.sentBytes += bytes),
      };
    },
  };
}
