/** A sample of what `long-fuzz.ts` tries: every decoder, a few hundred inputs each, others in every run. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, test } from "node:test";

import { decoders } from "./decoders.js";
import { fuzz } from "./fuzz.js";

/** The same as in a run that failed: `VARVE_TEST_SEED=…`. */
const SEED = Number(process.env["VARVE_TEST_SEED"] ?? randomInt(2 ** 31));
const INPUTS = 400;
const LEAST = 12;

const all = await decoders({ after });

for (const decoder of all)
  test(`${decoder.name}: what was changed on its way gives an answer or a clear error (seed ${SEED})`, async () => {
    const inputs = Math.max(LEAST, Math.round(INPUTS * (decoder.share ?? 1)));
    const { inputs: tried } = await fuzz(decoder, inputs, SEED);
    assert.equal(tried, inputs);
  });
