/**
 * Whether to wait for the next request awake. A program that makes one call after another sends the next soon after
 * it was answered, and putting this thread to sleep and waking it, mostly on another processor, takes the kernel longer
 * than looking a few times whether it is there. While that does not pay it is tried ever more seldom.
 */
import type { Channel, Received } from "./channel.js";

/** Being woken on an idle processor takes up to 70 µs, and so does the program that got the answer. */
const AWAKE_MS = 0.1;
/** At most one in so many requests is waited for in vain. */
const MOST_SKIPPED = 128;

export class Vigil {
  #skipped = 1;
  #toSkip = 0;

  /** Receives what is there, or what comes within a moment. */
  next(channel: Channel): Received {
    const received = channel.receive();
    if (received !== "nothing") return received;
    if (this.#toSkip-- > 0) return received;
    return this.#watch(channel);
  }

  #watch(channel: Channel): Received {
    const endMs = performance.now() + AWAKE_MS;
    let received: Received = "nothing";
    while (received === "nothing" && performance.now() < endMs) received = channel.receive();
    this.#skipped = received === "nothing" ? Math.min(this.#skipped * 2, MOST_SKIPPED) : 1;
    this.#toSkip = received === "nothing" ? this.#skipped : 0;
    return received;
  }
}
