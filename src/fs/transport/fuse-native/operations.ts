/** The callbacks of fuse-native over a `FileSystem`: one line each way, since paths, numbers and waiting are made elsewhere. */
import { constants } from "node:fs";

import { bytesOfText } from "../../../paths.js";
import { FileSystemError } from "../../errno.js";
import type { AttributeChanges, Attributes, Caller, FileSystem } from "../../filesystem.js";
import type { Serve } from "./answering.js";
import type { Answer, FuseOperations } from "./library.js";
import { type ReportName, listDirectory } from "./list.js";
import type { OpenFiles } from "./open-files.js";
import { exactTextOf, statOf, statvfsOf, timeOf } from "./translate.js";
import { type Place, type Walk, walking } from "./walk.js";

export interface Served {
  fileSystem: FileSystem;
  files: OpenFiles;
  serve: Serve;
  /** Told of names that are not UTF-8. */
  reportName: ReportName;
}

const MODE_BITS = 0o7777;
/** How `chown(2)` says "leave it". */
const UNCHANGED_ID = 2 ** 32 - 1;
/** Extended attributes of users are what a tree keeps. */
const KEPT_XATTR_PREFIX = "user.";

export function operationsOf(served: Served): FuseOperations {
  return { ...readingOperations(served), ...fileOperations(served), ...attributeOperations(served), ...nameOperations(served), ...xattrOperations(served) };
}
