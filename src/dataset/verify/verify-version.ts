/** `dataset.verify`: the stored content of a version, or a folder that should be a copy of it. */
import type { FoundVersion } from "../history.js";
import { type OptionNames, checkOptions } from "../known-options.js";
import type { Workspace } from "../workspace.js";
import { DatasetError } from "../../errors.js";
import { type VerifiedContent, verifyContent } from "./verify-content.js";
import { type VerifiedFolder, verifyFolder } from "./verify-folder.js";

export interface VerifyOptions {
  /** A folder that should hold what the version holds. Default: what is stored of the version is verified itself. */
  folder?: string | undefined;
  /** `hash` reads everything; `size` compares sizes alone. Default `hash`. */
  by?: "hash" | "size" | undefined;
  signal?: AbortSignal | undefined;
  /** Told of the bytes looked at so far. */
  onProgress?: ((progress: { bytes: number; totalBytes: number }) => void) | undefined;
}

const VERIFY_OPTIONS: OptionNames<VerifyOptions> = { folder: true, by: true, signal: true, onProgress: true };

export async function verifyVersion(
  workspace: Workspace,
  { version }: FoundVersion,
  options: VerifyOptions,
): Promise<VerifiedContent | VerifiedFolder> {
  checkOptions("verify", options, VERIFY_OPTIONS);
  const { folder, by = "hash" } = options;
  if (!["hash", "size"].includes(by)) throw unknownWay(by);
  if (folder === undefined) return verifyContent(workspace, version, options);
  return verifyFolder(workspace, version, folder, options);
}

function unknownWay(by: string): DatasetError<"bad-input"> {
  const message = `Cannot verify by ${JSON.stringify(by)}: it is "hash" or "size"`;
  return new DatasetError("bad-input", { value: by }, message);
}
