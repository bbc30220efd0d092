/** Gives decoders what they should not get, and holds them to it: an answer or a clear error, soon. */
import fc from "fast-check";

import { isDatasetError } from "../../src/errors.js";
import { mutated, mutatedJson } from "./mutate.js";

/** Something that takes bytes or text from outside. */
export interface Decoder {
  name: string;
  /** Real inputs, to be mutated. */
  samples: readonly Uint8Array[];
  /** More to mutate, which need not be taken. */
  others?: readonly Uint8Array[];
  /** Reads all that an input says. Throws a `DatasetError`, or what `isClear` takes. */
  decode: (input: Uint8Array) => unknown;
  /** Whether samples are JSON, whose values are then exchanged too. */
  json?: boolean;
  /** What else than a `DatasetError` may be thrown: where something else is the border, which catches it. */
  isClear?: (error: unknown) => boolean;
  /** How often it can be tried for one time of the others, where an input costs a file, a process or requests. Default 1. */
  share?: number;
}

/** What came of it. */
export interface Fuzzed {
  inputs: number;
  /** Answers, and errors by their code. */
  outcomes: Record<string, number>;
  slowestMs: number;
}

/** An input may not take longer, on a machine that does other things too. */
const SLOWEST_MS = 5_000;

/**
 * Tries inputs. Fails with the seed at the first that crashes, hangs or says nothing clear.
 *
 * @param seed Tells which inputs; the same again gives the same.
 */
export async function fuzz(decoder: Decoder, inputs: number, seed: number): Promise<Fuzzed> {
  const fuzzed: Fuzzed = { inputs: 0, outcomes: {}, slowestMs: 0 };
  for (const sample of decoder.samples) {
    const outcome = await outcomeOf(decoder, sample);
    if (outcome.said !== "answer")
      throw new Error(`A real input is refused by "${decoder.name}"`, { cause: outcome.error });
  }
  const bases = [...decoder.samples, ...(decoder.others ?? [])];
  const arbitrary = decoder.json ? mutatedJson(bases) : mutated(bases);
  const property = fc.asyncProperty(arbitrary, async (input) => {
    const started = performance.now();
    const { said, error } = await outcomeOf(decoder, input);
    const tookMs = performance.now() - started;
    fuzzed.inputs++;
    fuzzed.outcomes[said] = (fuzzed.outcomes[said] ?? 0) + 1;
    fuzzed.slowestMs = Math.max(fuzzed.slowestMs, tookMs);
    if (said === "crash") throw error;
    if (tookMs > SLOWEST_MS) throw new Error(`it took ${Math.round(tookMs)} ms`);
  });
  // Inputs that fail are shown as they are: to make them smaller takes longer than to read them.
  await fc.assert(property, { numRuns: inputs, seed, endOnFailure: true });
  return fuzzed;
}

interface Outcome {
  said: string;
  error?: unknown;
}

async function outcomeOf({ decode, isClear }: Decoder, input: Uint8Array): Promise<Outcome> {
  try {
    await decode(new Uint8Array(input));
    return { said: "answer" };
  } catch (error) {
    if (isDatasetError(error)) return { said: error.code, error };
    return { said: isClear?.(error) ? "refused" : "crash", error };
  }
}
