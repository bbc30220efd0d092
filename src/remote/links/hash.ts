/** The SHA-256 of an external file, read from its source. */
import type { Sha256 } from "../../content/chunk.js";
import { RunningSha256 } from "../../content/hash.js";
import { MiB } from "../../units.js";
import type { RequestOptions } from "../remote.js";
import type { LinkSource, LinkStore } from "./source.js";

/** One request, as large as those of readers in order. */
const READ_BYTES = 4 * MiB;

/** Reads all of it, each request with the pin. @throws as `LinkStore.read` does */
export async function hashSource(
  links: Pick<LinkStore, "read">,
  source: LinkSource,
  options?: RequestOptions,
): Promise<Sha256> {
  const running = new RunningSha256();
  for (let at = 0; at < source.sizeBytes; at += READ_BYTES)
    running.update(await links.read(source, at, Math.min(source.sizeBytes, at + READ_BYTES), options));
  return running.digest();
}
