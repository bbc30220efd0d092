/** A user with external files in `lab/data`: versions are made in this process, mounts are those of the command line. */
import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";

import { Dataset } from "../../../src/dataset/dataset.js";
import type { LinkOptions } from "../../../src/dataset/external-files.js";
import { Workspace } from "../../../src/dataset/workspace.js";
import { type Scope, atEnd } from "../../support/cleanup.js";
import { tempDir } from "../../support/temp.js";
import { type Varve, varveUser } from "../../support/varve.js";
import { DATASET } from "./mounted.js";

const ESTALE = 116;

export interface LinkUser {
  varve: Varve;
  workspace: Workspace;
  /** Makes the next version of `lab/data`: what `change` stages over the latest. */
  version(change: (draft: Dataset) => Promise<unknown>): Promise<Dataset>;
  /** Mounts the latest version on a new folder. */
  mount(...options: string[]): Promise<string>;
}

export async function linkUser(scope: Scope, env: Readonly<Record<string, string>> = {}): Promise<LinkUser> {
  const varve = await varveUser(scope, env);
  const workspace = new Workspace({ home: varve.places, notice: () => undefined });
  atEnd(scope, () => workspace.close());
  let made = 0;
  return {
    varve,
    workspace,
    async version(change) {
      const parents = made++ > 0 ? [DATASET] : [];
      const draft = await Dataset.create(DATASET, { parents, workspace });
      await change(draft);
      await draft.finalize({ autoUpload: true });
      return draft;
    },
    async mount(...options) {
      const at = join(await tempDir(scope), "mnt");
      await mkdir(at);
      await varve.ok(["mount", ...options, DATASET, at]);
      return at;
    },
  };
}

/** A version that holds what these URLs lead to, mounted to be read. */
export async function mountedLinks(
  user: LinkUser,
  urls: string | readonly string[],
  options?: LinkOptions,
): Promise<string> {
  await user.version((draft) => draft.addExternalFiles(urls, options));
  return user.mount();
}

/** Bytes of a file, as one read; this process goes on, since it may be the one that serves the source. */
export async function readAt(path: string, offset: number, length: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Text of a file of the latest version, as `cat` prints it. */
export async function textOf({ workspace }: LinkUser, path: string): Promise<string> {
  const dataset = await Dataset.get(DATASET, { workspace });
  const pieces: Uint8Array[] = [];
  for await (const bytes of dataset.readFile(path)) pieces.push(bytes);
  return Buffer.concat(pieces).toString();
}

/** Whether a read failed since the source has changed. Node 20 has no name for it. */
export function isStale(error: unknown): boolean {
  return error instanceof Error && "errno" in error && error.errno === -ESTALE;
}
