/**
 * The metadata of a version's files as it is stored: rows in the order of the tree, cut into pages where a tree is cut, so
 * that equal runs of rows are equal pages whatever the history, and a child writes those it changes. A page is JSON lines
 * `[path, fields]`; an index names the pages.
 */
import * as z from "zod";
import type { Cache } from "../../cache/cache.js";
import { refuseNewer } from "../../format.js";
import { type Key, cutsAfter, keyOf, pathOfKey } from "../../manifest/key.js";
import { type TreePath, checkPath, jsonOf } from "../../paths.js";
import { type Attachment, attachmentSchema, putAttachment, readAttachment } from "../attachments.js";
import { damaged, parseJson } from "../stored-json.js";
import type { OpenedRemote } from "../workspace.js";
import type { FileFields } from "./fields.js";

/** What is said of one file. */
export interface FileRow {
  key: Key;
  path: TreePath;
  fields: FileFields;
}

const INDEX_FORMAT = 1;

const pathSchema = z.union([z.string(), z.object({ bytes: z.base64() })]);
const count = z.number().int().nonnegative();
const pageSchema = z.object({ first: pathSchema, rows: count, attachment: attachmentSchema });
const indexSchema = z.object({ format: z.literal(INDEX_FORMAT), pages: z.array(pageSchema) });
const rowSchema = z.tuple([pathSchema, z.record(z.string(), z.json())]);

/** As an annex names the table. */
export const tableRefSchema = z.object({
  index: attachmentSchema,
  rows: count,
  /** Set where the fields of each row are a patch of those a file has. */
  patches: z.literal(true).optional(),
});
export type TableRef = z.infer<typeof tableRefSchema>;

export interface Page {
  firstKey: Key;
  rows: number;
  attachment: Attachment;
}

/** Opens a table by its annex. Costs its index. @throws {DatasetError} `format-damaged` */
export async function readPages(cache: Cache, { index }: TableRef): Promise<Page[]> {
  const what = `index of file metadata ${index.sha256}`;
  const json = parseJson(await readAttachment(cache, index), what);
  refuseNewer(json, INDEX_FORMAT, what);
  const parsed = indexSchema.safeParse(json);
  if (!parsed.success) throw damaged(what, parsed.error);
  return parsed.data.pages.map(({ first, rows, attachment }) => ({
    firstKey: keyOf(pathOfJson(first)),
    rows,
    attachment,
  }));
}

/** The rows of a page, in order. @throws {DatasetError} `format-damaged` */
export async function readPage(cache: Cache, { attachment }: Page): Promise<FileRow[]> {
  const what = `page of file metadata ${attachment.sha256}`;
  const text = Buffer.from(await readAttachment(cache, attachment)).toString("utf8");
  const lines = text.split("\n");
  return lines.filter((line) => line !== "").map((line) => parseRow(line, what));
}

export async function* rowsOf(cache: Cache, pages: readonly Page[]): AsyncGenerator<FileRow> {
  for (const page of pages) yield* await readPage(cache, page);
}

/** Cuts rows that come in order into pages, and stores them. */
export class PageWriter {
  readonly pages: Page[] = [];
  #lines: string[] = [];
  #weightBytes = 0;
  #firstKey: Key | undefined;

  constructor(private readonly remote: OpenedRemote) {}

  /** Whether a page has just ended, so that the next may be taken over as it is. */
  get atCut(): boolean {
    return this.#lines.length === 0;
  }

  reuse(page: Page): void {
    this.pages.push(page);
  }

  async add({ key, path, fields }: FileRow): Promise<void> {
    const line = JSON.stringify([jsonOf(path), fields]);
    this.#firstKey ??= key;
    this.#lines.push(line);
    this.#weightBytes += line.length;
    if (cutsAfter(key, this.#lines.length, this.#weightBytes)) await this.#endPage();
  }

  /** The table of all that was added; undefined when that is nothing. */
  async finish(): Promise<TableRef | undefined> {
    await this.#endPage();
    const rows = this.pages.reduce((sum, page) => sum + page.rows, 0);
    if (rows === 0) return undefined;
    const pages = this.pages.map(({ firstKey, ...page }) => ({
      first: jsonOf(pathOfKey(firstKey)),
      ...page,
    }));
    const index = await putAttachment(
      this.remote,
      Buffer.from(JSON.stringify({ format: INDEX_FORMAT, pages })),
    );
    return { index, rows };
  }

  async #endPage(): Promise<void> {
    if (this.#firstKey === undefined) return;
    const bytes = Buffer.from(`${this.#lines.join("\n")}\n`);
    const attachment = await putAttachment(this.remote, bytes);
    this.pages.push({ firstKey: this.#firstKey, rows: this.#lines.length, attachment });
    this.#lines = [];
    this.#weightBytes = 0;
    this.#firstKey = undefined;
  }
}

function parseRow(line: string, what: string): FileRow {
  const parsed = rowSchema.safeParse(parseJson(Buffer.from(line), what));
  if (!parsed.success) throw damaged(what, parsed.error);
  const [json, fields] = parsed.data;
  const path = pathOfJson(json);
  return { key: keyOf(path), path, fields };
}

function pathOfJson(json: z.infer<typeof pathSchema>): TreePath {
  const bytes = typeof json === "string" ? Buffer.from(json, "utf8") : Buffer.from(json.bytes, "base64");
  return checkPath(bytes.toString("latin1"));
}
