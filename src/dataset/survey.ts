/** What of some content is in the cache, and how much room it would take there if all of it were to stay. */
import type { Block } from "../cache/block.js";
import type { Lodging, PinIndex } from "../cache/pin-index.js";

/** What a row of the index takes for a block: hash, place and their indexes. */
const INDEX_BYTES = 150;
/** A file that is kept for less than this share of it would keep too much else; its blocks are laid anew. */
const LEAST_SHARE = 3 / 4;

interface SurveyedFile extends Lodging {
  wantedBytes: number;
}

export class Survey {
  totalBytes = 0;
  missingBytes = 0;
  #blocks = 0;
  readonly #files = new Map<number, SurveyedFile>();

  constructor(private readonly pins: Pick<PinIndex, "lodgingOf" | "pinnedBytes">) {}

  /** Counts a block. */
  add(block: Block): void {
    this.totalBytes += block.sizeBytes;
    this.#blocks++;
    const lodging = this.pins.lodgingOf(block.hash);
    if (!lodging) this.missingBytes += block.sizeBytes;
    if (!lodging || isMisplaced(block, lodging)) return;
    const file = this.#files.get(lodging.file) ?? { ...lodging, wantedBytes: 0 };
    file.wantedBytes += block.sizeBytes;
    this.#files.set(lodging.file, file);
  }

  /** Whether a block is well where it is; else it has to be laid down, perhaps after it was fetched. */
  stays(block: Block): boolean {
    const lodging = this.pins.lodgingOf(block.hash);
    if (!lodging || isMisplaced(block, lodging)) return false;
    const file = this.#files.get(lodging.file);
    return lodging.isPinned || (file !== undefined && isWorthKeeping(file));
  }

  /** Files that are to stay as they are. */
  stayingFiles(): number[] {
    return [...this.#files.values()].filter(isWorthKeeping).map(({ file }) => file);
  }

  /** Room that pins will take, those there are already included. */
  neededBytes(): number {
    const unpinned = [...this.#files.values()].filter(({ isPinned }) => !isPinned);
    const staying = unpinned.filter(isWorthKeeping);
    const pinned = [...this.#files.values()].filter(({ isPinned }) => isPinned);
    const laidBytes = this.totalBytes - sumOf([...staying, ...pinned], "wantedBytes");
    const keptBytes = sumOf(staying, "fileBytes");
    return this.pins.pinnedBytes() + laidBytes + keptBytes + this.#blocks * INDEX_BYTES;
  }
}

/** A large file is to lie in one piece. */
function isMisplaced({ part }: Block, { isWhole, isPinned }: Lodging): boolean {
  return part !== undefined && !isWhole && !isPinned;
}

function isWorthKeeping({ wantedBytes, fileBytes, isPinned }: SurveyedFile): boolean {
  return isPinned || wantedBytes >= fileBytes * LEAST_SHARE;
}

function sumOf(files: readonly SurveyedFile[], what: "wantedBytes" | "fileBytes"): number {
  return files.reduce((sum, file) => sum + file[what], 0);
}
