/** The same stream of bytes for the same size, of which no two MiB are equal. */
import { noise } from "../content/noise.js";
import { MiB } from "../../src/units.js";

export async function* noiseStream(sizeBytes: number): AsyncGenerator<Uint8Array> {
  const block = noise("stream", 1 * MiB);
  for (let at = 0; at < sizeBytes; at += block.length) {
    const bytes = Buffer.from(block.subarray(0, sizeBytes - at));
    bytes.write(String(at).padStart(16));
    yield bytes;
  }
}
