/**
 * Everything in varve that takes bytes from outside, with real samples of them. A new one is a line in `decoders`: whoever
 * adds a kind of object, file or message adds it here.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Scope } from "../support/cleanup.js";
import { atEnd } from "../support/cleanup.js";
import { answerDecoders } from "./answers.js";
import { collectionDecoders } from "./collections.js";
import { fileDecoders } from "./files.js";
import type { Decoder } from "./fuzz.js";
import { kernelDecoders } from "./kernel.js";
import { manifestDecoders } from "./manifests.js";
import { recordDecoders } from "./records.js";
import { tableDecoders } from "./tables.js";
import { textDecoders } from "./texts.js";

/** Where decoders of files put their inputs, and what ends with the run. */
export interface Bench {
  folder: string;
  scope: Scope;
}

export async function decoders(scope: Scope): Promise<Decoder[]> {
  const folder = mkdtempSync(join(tmpdir(), "varve-hostile-"));
  atEnd(scope, () => rmSync(folder, { recursive: true, force: true }));
  const bench = { folder, scope };
  return [
    ...(await manifestDecoders()),
    ...(await recordDecoders(bench)),
    ...(await collectionDecoders(bench)),
    ...tableDecoders(),
    ...textDecoders(),
    ...(await fileDecoders(bench)),
    ...(await kernelDecoders(bench)),
    ...(await answerDecoders(bench)),
  ];
}
