/** What a test made is taken away in the reverse order: processes end before the folders they write in are removed. */
/** The part of a test's context that tells when it ends; `{ after }` of `node:test` is the whole file's. */
export interface Scope {
  after(step: () => Promise<void>): void;
}

type Step = () => void | Promise<void>;

const stepsOf = new WeakMap<Scope, Step[]>();

/** Runs `step` when the test ends, before every step given earlier. All steps run; the first failure fails the test. */
export function atEnd(scope: Scope, step: Step): void {
  const known = stepsOf.get(scope);
  if (known) return void known.push(step);
  const steps = [step];
  stepsOf.set(scope, steps);
  scope.after(() => runAll(steps));
}

async function runAll(steps: readonly Step[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps.toReversed()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
