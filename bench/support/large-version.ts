/**
 * Makes a version of any number of files without making files: contents go through the product's packs, entries
 * through its commit, so the version is what `varve sync` of such a folder would have made. Memory does not grow with
 * the number of files. 10,000,000 take a few minutes.
 */
import { type Chunk, Codec, type PackId, type RemoteId } from "../../src/content/chunk.js";
import { sha256 } from "../../src/content/hash.js";
import { PackWriter } from "../../src/content/pack.js";
import type { PackUnderway } from "../../src/content/place.js";
import { Session } from "../../src/content/session.js";
import { type CommitResult, completeCommit, prepareCommit } from "../../src/dataset/commit.js";
import { type Draft, createDraft } from "../../src/dataset/draft.js";
import { parseDatasetName } from "../../src/dataset/reference.js";
import type { Workspace } from "../../src/dataset/workspace.js";
import { type DirectoryEntry, type Edit, EntryType, type FileEntry } from "../../src/manifest/entry.js";
import { lastNotAbove } from "../../src/manifest/range-table.js";
import { ROOT, type TreePath } from "../../src/paths.js";

export interface LargeVersionOptions {
  /** `project/name`. */
  dataset: string;
  files: number;
  /** Default 1,000. As many as `files` puts all of them into one folder. */
  filesInFolder?: number | undefined;
}

const MTIME_SEC = 1_700_000_000;
const OWNER = { uid: 1000, gid: 1000 };

/** Commits a version of `files` files in folders `folder-00000`, …; no two contents are the same. */
export async function makeLargeVersion(
  workspace: Workspace,
  { dataset, files, filesInFolder = 1_000 }: LargeVersionOptions,
): Promise<CommitResult> {
  const draft = await createDraft(workspace, parseDatasetName(dataset));
  const chunkOf = await writeContents(draft, files);
  const edits = entriesOf(files, filesInFolder, chunkOf);
  return completeCommit(workspace, draft, await prepareCommit(workspace, draft, {}, edits));
}

/** The path of a file. */
export function pathOfFile(number: number, filesInFolder = 1_000): string {
  return `${folderPath(Math.floor(number / filesInFolder))}/file-${pad(number, 8)}.bin`;
}

/** What a file holds: as many bytes in each of them, so that places follow from numbers. */
export function contentOfFile(number: number): Uint8Array {
  return Buffer.from(`content ${pad(number, 8)}\n`, "latin1");
}

const CONTENT_BYTES = contentOfFile(0).length;

/** Sends the contents of all files; gives where that of each lies. */
async function writeContents({ remote }: Draft, files: number): Promise<(number: number) => Chunk> {
  const session = new Session({});
  const ignore = () => {};
  const writer = new PackWriter({ remote: remote.remote, session, onSent: ignore, onSettled: ignore });
  const packs: PackUnderway[] = [];
  /** The number of the first file in each pack. */
  const firsts: number[] = [];
  const layAll = async function* () {
    for (let number = 0; number < files; number++) {
      const { pack } = writer.lay(contentOfFile(number));
      if (packs.at(-1) === pack) continue;
      firsts.push(number);
      yield packs.push(pack);
      while (!(await writer.hasRoom()));
    }
    writer.finish();
    while (!(await writer.isSettled()));
  };
  const laid = session.values(layAll());
  while (!(await laid.next()).done);
  return (number) => {
    const at = lastNotAbove(firsts.length, (index) => firsts[index]! <= number);
    return chunkAt(number, number - firsts[at]!, { remote: remote.id, pack: packs[at]!.id! });
  };
}

function chunkAt(number: number, index: number, place: { remote: RemoteId; pack: PackId }): Chunk {
  const sizes = { sizeBytes: CONTENT_BYTES, storedBytes: CONTENT_BYTES, codec: Codec.raw };
  return { hash: sha256(contentOfFile(number)), ...place, offset: index * CONTENT_BYTES, ...sizes };
}

/** Entries in the order of their keys: all folders, then the files of each. */
function* entriesOf(
  files: number,
  filesInFolder: number,
  chunkOfFile: (number: number) => Chunk,
): Generator<Edit> {
  const folders = Math.ceil(files / filesInFolder);
  yield directory(ROOT);
  for (let folder = 0; folder < folders; folder++) yield directory(folderPath(folder));
  for (let number = 0; number < files; number++)
    yield fileOf(pathOfFile(number, filesInFolder) as TreePath, chunkOfFile(number));
}

function directory(path: TreePath): DirectoryEntry {
  return { path, type: EntryType.directory, mode: 0o755, mtimeSec: MTIME_SEC, mtimeNsec: 0, ...OWNER };
}

function fileOf(path: TreePath, chunk: Chunk): FileEntry {
  const { sizeBytes, hash } = chunk;
  const common = { path, mode: 0o644, mtimeSec: MTIME_SEC, mtimeNsec: 0, ...OWNER };
  return { ...common, type: EntryType.file, sizeBytes, sha256: hash, chunks: [chunk] };
}

function folderPath(folder: number): TreePath {
  return `folder-${pad(folder, 5)}` as TreePath;
}

function pad(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}
