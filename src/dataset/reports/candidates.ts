/**
 * Which files of an upload are worth a look by themselves: the first tables and media, told by the endings of their names
 * as files go by. Costs a look at the end of a name while some are still wanted, and nothing after that.
 */
import { jsonOf } from "../../paths.js";
import { mediaTypeOf } from "../metadata-value.js";
import type { PendingFile, Source } from "../staging.js";
import { tableKindOf } from "../tables/read-table.js";
import { kindOfType } from "./content.js";

export interface PreviewLimits {
  /** Most tables. Default 10. */
  tables?: number | undefined;
  /** First rows of each. Default 10. */
  rows?: number | undefined;
  /** Bytes read of each table. Default 2 MiB. */
  readBytes?: number | undefined;
  /** Most of pictures, of sounds, of films and of pages each. Default 10. */
  media?: number | undefined;
  /** Largest of them, in bytes. Default 5 MiB. */
  mediaBytes?: number | undefined;
}

export const PREVIEW_LIMITS = {
  tables: 10,
  rows: 10,
  readBytes: 2 * 1024 * 1024,
  media: 10,
  mediaBytes: 5 * 1024 * 1024,
};

export type Limits = Record<keyof typeof PREVIEW_LIMITS, number>;

/** A file that may be shown, as the draft remembers it. */
export interface Candidate {
  path: string;
  kind: "table" | "image" | "audio" | "video" | "html";
  source: Extract<Source, { kind: "file" | "overlay" }>;
}

const KINDS = ["table", "image", "audio", "video", "html"] as const;
const LONGEST_ENDING_CHARS = 12;

export class Candidates {
  readonly found: Candidate[];
  readonly #left: Map<Candidate["kind"], number>;
  /** Kinds by ending: a hundred thousand names have few. */
  readonly #kinds = new Map<string, Candidate["kind"] | undefined>();

  /** @param before Those of an upload that was cut off. */
  constructor(
    before: readonly Candidate[],
    private readonly limits: Limits,
  ) {
    this.found = [...before];
    const most = (kind: Candidate["kind"]) => (kind === "table" ? limits.tables : limits.media);
    const known = (kind: Candidate["kind"]) => before.filter((each) => each.kind === kind).length;
    this.#left = new Map(KINDS.map((kind) => [kind, most(kind) - known(kind)]));
  }

  note({ path, sizeBytes, source }: PendingFile): void {
    const kind = this.#kindOf(path);
    // What is copied from another version was new there.
    if (kind === undefined || sizeBytes === 0 || (source.kind !== "file" && source.kind !== "overlay"))
      return;
    const left = this.#left.get(kind) ?? 0;
    const text = jsonOf(path);
    if (left <= 0 || typeof text !== "string") return;
    if (kind !== "table" && sizeBytes > this.limits.mediaBytes) return;
    this.#left.set(kind, left - 1);
    this.found.push({ path: text, kind, source });
  }

  #kindOf(path: string): Candidate["kind"] | undefined {
    const dot = path.indexOf(".", Math.max(path.lastIndexOf("/") + 1, path.length - LONGEST_ENDING_CHARS));
    if (dot < 0) return undefined;
    const ending = path.slice(dot);
    if (!this.#kinds.has(ending)) this.#kinds.set(ending, kindOfName(path));
    return this.#kinds.get(ending);
  }
}

function kindOfName(path: string): Candidate["kind"] | undefined {
  if (tableKindOf(path)) return "table";
  return kindOfType(mediaTypeOf(path) ?? "");
}

/** What the caller and the environment ask for; undefined for no previews. `VARVE_PREVIEW=off` turns them off. */
export function previewLimits(
  asked: boolean | PreviewLimits | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Limits | undefined {
  if (asked === false || (asked === undefined && /^(off|0|false|no)$/i.test(env["VARVE_PREVIEW"] ?? "")))
    return undefined;
  const given = Object.entries(asked === true ? {} : (asked ?? {})).filter(
    ([, value]) => value !== undefined,
  );
  return { ...PREVIEW_LIMITS, ...(Object.fromEntries(given) as Partial<Limits>) };
}
