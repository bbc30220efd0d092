/** A second reporter beside `reporter.ts`: two numbers for `scripts/test`, which adds its own checks to them. */
import type { TestEvent } from "node:test/reporters";

import { Tally } from "./tally.js";

/** For `node --test-reporter`: `passed failed`. */
export default async function* counts(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const tally = new Tally();
  for await (const event of events) tally.take(event);
  yield `${tally.passed} ${tally.failures.length}\n`;
}
