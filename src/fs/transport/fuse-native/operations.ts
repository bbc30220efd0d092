/** All callbacks of one mount, put together; each group turns paths and numbers into calls of the `FileSystem`. */
import type { FileSystem } from "../../filesystem.js";
import type { Answering } from "./answering.js";
import { attributeOperations } from "./attributes.js";
import { contentOperations } from "./contents.js";
import type { FuseOperations } from "./library.js";
import { nameOperations } from "./names.js";
import type { OpenFiles } from "./open-files.js";
import { xattrOperations } from "./xattrs.js";

/** One mount: what it shows, what is open in it, and how its operations are run. */
export interface Served {
  fileSystem: FileSystem;
  files: OpenFiles;
  run: Answering;
  /** Told of a name that is not UTF-8, which libfuse's users here cannot pass. */
  leftOut: (name: string, directory: string) => void;
}

export function operationsOf(served: Served): FuseOperations {
  return {
    ...nameOperations(served),
    ...attributeOperations(served),
    ...contentOperations(served),
    ...xattrOperations(served),
  };
}
