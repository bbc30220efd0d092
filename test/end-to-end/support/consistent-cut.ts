/**
 * Whether a version is a consistent cut through what several writers did: of each a prefix of its steps, such that at
 * some one moment every step that is in had been begun, and none that is not in had returned.
 */
import { type State, type Timed, sameState, take } from "./logged-steps.js";

/** The moments, `[from, to]` in ns, at which something was as it was seen. */
export interface Moments {
  from: number;
  to: number;
}

/** How many of a writer's steps a state holds; undefined when it is no state the writer ever left. */
export interface Prefix {
  steps: number;
  moments: Moments;
}

/**
 * The prefix that a folder of a version shows, among those that fit `within`.
 *
 * @param initial What the folder held before the first step.
 */
export function prefixOf(
  seen: State,
  initial: State,
  log: readonly Timed[],
  within: Moments,
): Prefix | undefined {
  const state: State = new Map(
    [...initial].map(([path, content]) => [path, content && Buffer.from(content)]),
  );
  for (let steps = 0; steps <= log.length; steps++) {
    const moments = {
      from: Math.max(within.from, log[steps - 1]?.begin ?? -Infinity),
      to: Math.min(within.to, log[steps]?.end ?? Infinity),
    };
    if (moments.from <= moments.to && sameState(state, seen)) return { steps, moments };
    if (steps < log.length) take(state, steps);
  }
  return undefined;
}

/** The moments that all have in common; undefined when there is none. */
export function common(all: readonly Moments[]): Moments | undefined {
  const from = Math.max(...all.map((one) => one.from));
  const to = Math.min(...all.map((one) => one.to));
  return from <= to ? { from, to } : undefined;
}
