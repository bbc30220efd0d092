/**
 * Preloaded into varve's processes (`NODE_OPTIONS=--import`): S3 whose requests are taken for lost after a third of a second
 * of silence instead of 15 s, so that a test of stalls ends.
 */
import { withHedging } from "../../../src/remote/hedging.js";
import { registerScheme } from "../../../src/remote/open.js";
import { canonicalS3Url, parseS3Url } from "../../../src/remote/s3/location.js";
import { s3Remote } from "../../../src/remote/s3/s3.js";

const SILENCE_MS = 333;

registerScheme("s3", (url) =>
  withHedging(s3Remote(parseS3Url(url), canonicalS3Url(url), { silenceMs: SILENCE_MS })),
);
