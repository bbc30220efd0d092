/** What lies beside the data as JSON: records, amendments, names, bundles, metadata, reports, signatures. */
import type { Block } from "../../src/cache/block.js";
import type { Cache } from "../../src/cache/cache.js";
import { encodeAmendment, parseAmendment } from "../../src/catalog/amendment.js";
import { sha256 } from "../../src/content/hash.js";
import type { Attachment } from "../../src/dataset/attachments.js";
import { belongingsOf } from "../../src/dataset/belongings.js";
import { readBundle } from "../../src/dataset/bundle.js";
import { readFileTable, tableRows } from "../../src/dataset/file-metadata/table.js";
import { importRecord } from "../../src/dataset/history.js";
import { lineageOf } from "../../src/dataset/lineage.js";
import { listMetadata, readMetadata } from "../../src/dataset/metadata.js";
import { readNameAt } from "../../src/dataset/names.js";
import {
  type VersionRecord,
  labelOfKey,
  parseRecord,
  readRecordUnlessDeleted,
  recordKey,
} from "../../src/dataset/record.js";
import { readReport, readReportPages } from "../../src/dataset/reports/report.js";
import { publicKeysOf } from "../../src/dataset/signing/key-files.js";
import { newSecretKey, signingKeyOf, textOfKey } from "../../src/dataset/signing/keys.js";
import { toldSignatures } from "../../src/dataset/signing/signatures.js";
import { parseSignature, signStatement, statementBy } from "../../src/dataset/signing/statement.js";
import { Workspace } from "../../src/dataset/workspace.js";
import { homeOf } from "../../src/home.js";
import { requireIdentity } from "../../src/remote/identity.js";
import { memoryRemote } from "../support/memory-remote.js";
import { REMOTE } from "../manifest/support.js";
import type { Bench } from "./decoders.js";
import type { Decoder } from "./fuzz.js";

const ID = "a".repeat(32);
const OTHER_ID = "b".repeat(32);
const HASH = "c".repeat(64);

export async function recordDecoders({ folder }: Bench): Promise<Decoder[]> {
  const key = signingKeyOf(newSecretKey(undefined), "key", undefined);
  const signature = signStatement(key, STATEMENT);
  const signed = { ...RECORD, annexes: { ...RECORD.annexes, signature: [signature] } };
  return [
    { name: "version record", json: true, samples: texts(RECORD, signed, DELETED), decode: readRecordOf },
    {
      name: "version record, taken in",
      json: true,
      share: 0.05,
      samples: texts(RECORD, signed),
      decode: (bytes) => takeIn(bytes, folder),
    },
    { name: "amendment", json: true, samples: AMENDMENTS, decode: (bytes) => parseAmendment(textOf(bytes)) },
    {
      name: "amendment, taken in",
      json: true,
      share: 0.05,
      samples: AMENDMENTS,
      decode: (bytes) => amend(bytes, folder),
    },
    {
      name: "signature",
      json: true,
      samples: texts(signature),
      decode: (bytes) => readSignature(bytes, key.publicKey),
    },
    { name: "key file", samples: [Buffer.from(`${textOfKey(key.publicKey)}\n`)], decode: readKey },
    {
      name: "name of a dataset",
      json: true,
      samples: texts({ format: 1, dataset: ID, project: "lab", name: "data", createdAtMs: 5 }),
      decode: (bytes) => readNameAt(memoryRemote({ "names/lab/data": bytes }), "names/lab/data"),
    },
    {
      name: "identity of a remote",
      json: true,
      samples: texts({ format: 1, id: REMOTE }),
      decode: (bytes) => requireIdentity(memoryRemote({ "varve.json": bytes })),
    },
    {
      name: "list of a bundle",
      json: true,
      samples: texts({
        format: 1,
        versions: [
          { id: ID, labelIsAutomatic: true, parents: [{ id: OTHER_ID, reference: "a/b@1", digest: HASH }] },
        ],
      }),
      decode: (bytes) => readBundle(memoryRemote({ "bundle.json": bytes })),
    },
    {
      name: "index of file metadata",
      json: true,
      samples: texts({ format: 1, pages: [{ first: "a", rows: 2, attachment: ATTACHMENT }] }),
      decode: (bytes) => readFileTable(cacheOf(bytes), [JSON.stringify({ index: ATTACHMENT, rows: 2 })]),
    },
    {
      name: "page of file metadata",
      samples: [Buffer.from('["a/b",{"width":3,"label":"cat"}]\n[{"bytes":"/w=="},{"x":[1,{"y":null}]}]\n')],
      decode: readFilePage,
    },
    {
      name: "annex",
      json: true,
      samples: texts({ index: ATTACHMENT, rows: 2, patches: true }, { attachment: ATTACHMENT, count: 1 }),
      decode: readAnnex,
    },
    {
      name: "page of reports",
      json: true,
      samples: texts({
        format: 1,
        reports: [REPORT, { ...REPORT, value: undefined, attachment: ATTACHMENT }],
      }),
      decode: readReports,
    },
  ];
}

const ATTACHMENT = {
  sha256: HASH,
  bytes: 5,
  remote: REMOTE,
  brotli: { sha256: HASH, bytes: 4 },
} as Attachment;

const STATEMENT = {
  format: 1 as const,
  id: ID,
  dataset: OTHER_ID,
  project: "lab",
  name: "data",
  label: "1.0.0",
  parents: [OTHER_ID],
  digest: HASH,
  contentDigest: HASH,
  outline: HASH,
  files: 3,
  bytes: 4,
  createdBy: "ada",
  createdAtMs: 5,
  completedAtMs: 6,
};

const RECORD = {
  format: 1,
  id: ID,
  dataset: { id: OTHER_ID, project: "lab", name: "data" },
  label: "1.0.0",
  parents: [{ id: "d".repeat(32), dataset: "lab/data", label: "0.9.0" }],
  squashedFrom: [{ id: "e".repeat(32), dataset: "lab/data", label: "0.8.0" }],
  published: true,
  description: "words",
  tags: ["x"],
  createdBy: "ada",
  job: { id: "job", name: "train" },
  createdAtMs: 1_700_000_000_000,
  completedAtMs: 1_700_000_000_001,
  root: { key: `roots/${ID}/1`, hash: HASH, bytes: 300 },
  digest: HASH,
  contentDigest: HASH,
  files: 3,
  bytes: 4,
  changes: { added: 1, modified: 2, metadata: 3, removed: 4, renamed: 5 },
  remotes: [{ id: REMOTE, url: "memory://" }],
  metadata: [
    { name: "m", type: "application/json", form: "json", value: Buffer.from('{"a":1}').toString("base64") },
    { name: "n", type: "text/plain", form: "text", attachment: ATTACHMENT },
  ],
  annexes: {
    fileMetadata: [{ index: ATTACHMENT, rows: 2 }],
    reports: [{ attachment: ATTACHMENT, count: 1 }],
  },
};

const DELETED = { format: 2, deleted: { id: ID, label: "1.0.0", by: "ada", atMs: 1_700_000_000_000 } };

const REPORT = {
  kind: "table",
  title: "t",
  series: "s",
  iteration: 0,
  reportedAtMs: 5,
  type: "application/json",
  bytes: 2,
  sha256: HASH,
  value: Buffer.from("{}").toString("base64"),
};

const metadata = { name: "m", type: "text/plain", form: "text", value: "aGk=", attachment: null };
const CHANGES = [
  { kind: "tag", version: ID, add: ["x"], remove: ["y"] },
  { kind: "rename", project: "lab", name: "other" },
  { kind: "delete", version: ID, label: "1.0.0" },
  {
    kind: "metadata",
    version: ID,
    set: [metadata, { ...metadata, name: "n", attachment: JSON.stringify(ATTACHMENT) }],
    remove: ["z"],
  },
  { kind: "annex", version: ID, annex: "signature", add: "{}" },
  { kind: "publish", version: ID },
  { kind: "describe", version: ID, description: "words" },
  { kind: "archive", archived: true },
] as const;
const AMENDMENTS = CHANGES.map((change) =>
  Buffer.from(
    encodeAmendment({
      id: "1".repeat(32),
      dataset: OTHER_ID,
      by: "ada",
      stampMs: 7,
      change: change as never,
    }),
  ),
);

/** A cache in which every block is these bytes: whoever writes the remote can name what they wrote by its hash. */
function cacheOf(bytes: Uint8Array): Cache {
  return { read: () => Promise.resolve(bytes) } as unknown as Cache;
}

async function readRecordOf(bytes: Uint8Array): Promise<void> {
  try {
    const record = parseRecord(bytes, "record");
    belongingsOf(record);
    labelOfKey(recordKey(record.dataset.id, record.label));
  } catch (error) {
    if ((error as { code?: string }).code !== "not-found") throw error; // It was deleted, which the error says.
  }
  await readRecordUnlessDeleted(memoryRemote({ [KEY]: bytes }), KEY).catch((error: unknown) => {
    if ((error as { code?: string }).code === undefined) throw error;
  });
}

const KEY = `datasets/${OTHER_ID}/versions/1.0.0`;

/** A workspace with a catalog of its own in memory. */
async function withRecord(
  bytes: Uint8Array,
  folder: string,
  look: (workspace: Workspace, record: VersionRecord) => Promise<void>,
) {
  const record = parseRecord(bytes, "record");
  const home = { ...homeOf({ VARVE_HOME: `${folder}/home` }), catalogPath: ":memory:" };
  const workspace = new Workspace({ home, notice: () => undefined, offline: false }).readerOf("memory://");
  try {
    const catalog = await workspace.catalog();
    await catalog.ensureDataset({ ...record.dataset });
    await importRecord(catalog, record);
    await look(workspace, record);
  } finally {
    await workspace.close();
  }
}

async function takeIn(bytes: Uint8Array, folder: string): Promise<void> {
  await withRecord(bytes, folder, async (workspace, { id, dataset: { id: datasetId } }) => {
    const catalog = await workspace.catalog();
    const version = await catalog.versionById(id);
    const dataset = await catalog.datasetById(datasetId);
    if (!version || !dataset) return;
    await lineageOf(workspace, { version, dataset });
    await listMetadata(workspace, version);
    await readMetadata(workspace, version, "m");
    await toldSignatures(workspace, dataset, version);
    await catalog.latestVersion(dataset.id);
  });
}

async function amend(bytes: Uint8Array, folder: string): Promise<void> {
  await withRecord(texts(RECORD)[0]!, folder, async (workspace) => {
    const catalog = await workspace.catalog();
    await catalog.takeAmendments(OTHER_ID, REMOTE, [{ number: 1, content: textOf(bytes) }]);
    const version = await catalog.versionById(ID);
    if (!version) return;
    await listMetadata(workspace, version);
    await readMetadata(workspace, version, "m");
  });
}

function readSignature(bytes: Uint8Array, key: Parameters<typeof statementBy>[0][number]): void {
  const signature = parseSignature(textOf(bytes));
  if (signature) statementBy([key], signature);
}

function readKey(bytes: Uint8Array): void {
  publicKeysOf({ keysDir: "/nowhere", verifyKeys: [] }, textOf(bytes));
}

async function readFilePage(bytes: Uint8Array): Promise<void> {
  const page = { first: "a", rows: 2, attachment: { ...ATTACHMENT, sha256: sha256(bytes) } };
  const index = Buffer.from(JSON.stringify({ format: 1, pages: [page] }));
  const cache = {
    read: ({ hash }: Block) => Promise.resolve(hash === HASH ? index : bytes),
  } as unknown as Cache;
  const table = await readFileTable(cache, [JSON.stringify({ index: ATTACHMENT, rows: 2 })]);
  for await (const { fields } of tableRows(cache, table)) JSON.stringify(fields);
}

async function readAnnex(bytes: Uint8Array): Promise<void> {
  const index = Buffer.from('{"format":1,"pages":[],"reports":[]}');
  const ignore = (error: unknown) => {
    if ((error as { code?: string }).code === undefined) throw error;
  };
  await readFileTable(cacheOf(index), [textOf(bytes)]).catch(ignore);
  await readReportPages(cacheOf(index), [textOf(bytes)]).catch(ignore);
}

async function readReports(bytes: Uint8Array): Promise<void> {
  const page = JSON.stringify({ attachment: ATTACHMENT, count: 1 });
  for (const report of await readReportPages(cacheOf(bytes), [page]))
    await readReport(cacheOf(bytes), report);
}

function texts(...values: unknown[]): Uint8Array[] {
  return values.map((value) => Buffer.from(JSON.stringify(value)));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}
