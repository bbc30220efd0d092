/** An order for tests and benchmarks that no guess finds and every run repeats. */

/** The numbers below `count`, the same every time (for the same `seed`, from 1 on) and in no order that anybody could guess. */
export function shuffled(count: number, seed = 1): number[] {
  const numbers = Array.from({ length: count }, (_, index) => index);
  let state = seed;
  for (let left = count - 1; left > 0; left--) {
    state = (state * 48_271) % 0x7fffffff; // Park and Miller's generator, with the better of their factors.
    const other = state % (left + 1);
    [numbers[left], numbers[other]] = [numbers[other]!, numbers[left]!];
  }
  return numbers;
}
