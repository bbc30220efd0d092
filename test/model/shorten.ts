/**
 * Makes a failing sequence short: takes away runs of it, half of it first and single ones last, as long as what is left
 * still fails. Source: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002)
 */

/** How much longer each ending is that is tried first: often the last few suffice. */
const ENDING_GROWS = 5;

/** @param fails Whether a sequence fails, on a fresh start. @param isInTime Called before each try; false stops. */
export async function shortened<T>(
  sequence: readonly T[],
  fails: (shorter: readonly T[]) => Promise<boolean>,
  isInTime: () => boolean = () => true,
): Promise<readonly T[]> {
  let left = await shortEnding(sequence, fails, isInTime);
  for (let run = Math.ceil(left.length / 2); run >= 1; run = run === 1 ? 0 : Math.ceil(run / 2)) {
    // From the end: what comes late depends on what came before, seldom the other way round.
    for (let end = left.length; end > 0; end -= run) {
      if (!isInTime()) return left;
      const shorter = [...left.slice(0, Math.max(0, end - run)), ...left.slice(end)];
      if (shorter.length > 0 && (await fails(shorter))) left = shorter;
    }
  }
  return left;
}

async function shortEnding<T>(
  sequence: readonly T[],
  fails: (shorter: readonly T[]) => Promise<boolean>,
  isInTime: () => boolean,
): Promise<readonly T[]> {
  for (let count = 1; count < sequence.length && isInTime(); count *= ENDING_GROWS)
    if (await fails(sequence.slice(-count))) return sequence.slice(-count);
  return sequence;
}
