/**
 * Signatures of versions. One is made when a version is, with the user's key where one is set, and stands in the record
 * (`annexes`); a later one is an amendment. Whether a version must be signed, and is, is asked whenever its tree is opened.
 */
import type { Catalog, Dataset as DatasetRow, VersionRow } from "../../catalog/catalog.js";
import type { Sha256 } from "../../content/chunk.js";
import { DatasetError } from "../../errors.js";
import { outlineOf } from "../../manifest/outline.js";
import { openRoot } from "../../manifest/root.js";
import { amend } from "../amend.js";
import type { VersionRecord } from "../record.js";
import { textOfDataset } from "../reference.js";
import type { Workspace } from "../workspace.js";
import { ownKeys, requiredKeys, signingKey, trustedKeys } from "./key-files.js";
import { type PublicKey, type SigningKey, parsePublicKey, textOfKey } from "./keys.js";
import {
  type Signature,
  type Statement,
  differences,
  parseSignature,
  signStatement,
  statementBy,
} from "./statement.js";

/** The annex kind of signatures. */
export const SIGNATURE_KIND = "signature";

/** What is to be signed with what, from before the record is made. */
export interface Signing {
  key: SigningKey;
  outline: Sha256;
}

/** One signature of a version, as it is told. */
export interface ToldSignature {
  /** The key's id, and its name where the user knows it. */
  key: string;
  name: string | undefined;
  /** In which fields what was signed is not what the version is; none where it fits. */
  differs: string[];
}

/** A record with the user's signature of it. */
export function signedRecord(record: VersionRecord, { key, outline }: Signing): VersionRecord {
  const { id, dataset, label, parents, digest, contentDigest, files, bytes } = record;
  const { createdBy, createdAtMs, completedAtMs } = record;
  const signature = signStatement(key, {
    format: 1,
    id,
    dataset: dataset.id,
    project: dataset.project,
    name: dataset.name,
    label,
    parents: parents.map((parent) => parent.id),
    digest,
    contentDigest,
    outline,
    files,
    bytes,
    createdBy,
    createdAtMs,
    completedAtMs,
  });
  return { ...record, annexes: { ...record.annexes, [SIGNATURE_KIND]: [signature] } };
}

/**
 * The outline that was signed of a version; undefined where nobody asks that it is signed: neither `--verify-key`,
 * `VARVE_VERIFY_KEY` nor `varve key trust`.
 *
 * @throws {DatasetError} `untrusted`; `bad-input`, `format-damaged` for keys that cannot be read
 */
export async function signedOutline(
  workspace: Pick<Workspace, "home" | "catalogOf">,
  version: VersionRow,
): Promise<string | undefined> {
  const catalog = await workspace.catalogOf(version);
  const dataset = await requireDataset(catalog, version);
  const keys = requiredKeys(workspace.home, dataset);
  if (!keys) return undefined;
  const signatures = await signaturesOf(catalog, version);
  const signed = signatures.flatMap((signature) => statementBy(keys, signature) ?? []);
  const found = await factsOf(catalog, dataset, version);
  const fitting = signed.find((statement) => differences(statement, found).length === 0);
  if (fitting) return fitting.outline;
  throw refusal(found, keys, signatures, signed);
}

/** Signs a version that exists, with the user's key. @throws {DatasetError} `bad-input` without one; `unsupported` for one whose root does not say its chunks */
export async function addSignature(
  workspace: Workspace,
  dataset: DatasetRow,
  version: VersionRow,
  rootBytes: Uint8Array,
): Promise<PublicKey> {
  const key = signingKey(workspace.home);
  if (!key) throw noKey();
  const outline = outlineOf(openRoot(rootBytes));
  if (outline === undefined) throw notSignable(textOfDataset(dataset), version);
  const facts = await factsOf(await workspace.catalog(), dataset, version);
  const signature = signStatement(key, { ...facts, outline });
  const annex = { kind: "annex", annex: SIGNATURE_KIND, add: JSON.stringify(signature) } as const;
  await amend(workspace, dataset, { ...annex, version: version.id });
  return key.publicKey;
}

/** Every signature of a version that is one, whoever made it. */
export async function toldSignatures(
  workspace: Workspace,
  dataset: DatasetRow,
  version: VersionRow,
): Promise<ToldSignature[]> {
  const catalog = await workspace.catalogOf(version);
  const found = await factsOf(catalog, dataset, version);
  const known = [...trustedKeys(workspace.home).map(({ key }) => key), ...ownKeys(workspace.home)];
  return (await signaturesOf(catalog, version)).flatMap((signature) => {
    const key = known.find(({ base64 }) => base64 === signature.key) ?? keyFrom(signature);
    const statement = key && statementBy([key], signature);
    const differs = statement && differences(statement, found);
    return key && differs ? [{ key: key.id, name: key.name || undefined, differs }] : [];
  });
}

async function requireDataset(catalog: Catalog, { id, datasetId }: VersionRow): Promise<DatasetRow> {
  const dataset = await catalog.datasetById(datasetId);
  if (dataset) return dataset;
  const what = `version "${id}"`;
  throw new DatasetError(
    "not-found",
    { what },
    `Cannot tell who signed the ${what}: its dataset is not known`,
  );
}

async function signaturesOf(catalog: Catalog, { id }: VersionRow): Promise<Signature[]> {
  return (await catalog.annexesOf(id, SIGNATURE_KIND)).flatMap((json) => parseSignature(json) ?? []);
}

/** One that the user does not know by a name. */
function keyFrom({ key }: Signature): PublicKey | undefined {
  return parsePublicKey(textOfKey({ base64: key, id: "", name: "" }));
}

/** What a version is, as the catalog has it from its record. */
async function factsOf(
  catalog: Catalog,
  { project, name }: DatasetRow,
  version: VersionRow,
): Promise<Omit<Statement, "outline">> {
  const { id, datasetId, label, treeDigest, contentDigest, files, bytes } = version;
  const { createdBy, createdAtMs, completedAtMs } = version;
  return {
    format: 1,
    id,
    dataset: datasetId,
    project,
    name,
    label,
    parents: await catalog.parentsOf(id),
    digest: treeDigest ?? "",
    contentDigest: contentDigest ?? "",
    files: files ?? 0,
    bytes: bytes ?? 0,
    createdBy,
    createdAtMs,
    completedAtMs: completedAtMs ?? 0,
  };
}

function refusal(
  { project, name, label, id }: Omit<Statement, "outline">,
  keys: readonly PublicKey[],
  signatures: readonly Signature[],
  [signed]: readonly Statement[],
): DatasetError<"untrusted"> {
  const version = `${project}/${name}@${label}`;
  const wanted = keys.map((key) => key.name || key.id).join(" or ");
  const why = signed
    ? `what ${wanted} signed is ${signed.project}/${signed.name}@${signed.label} (${signed.id}), and not what this is (${id})`
    : signatures.length > 0
      ? `it is not signed by ${wanted}`
      : `it is not signed, and must be by ${wanted}`;
  return new DatasetError("untrusted", { version }, `Cannot read "${version}": ${why}`);
}

function noKey(): DatasetError<"bad-input"> {
  const message =
    "Cannot sign: set VARVE_SIGNING_KEY to the name of one of your keys (varve key create), or to its path";
  return new DatasetError("bad-input", { value: "VARVE_SIGNING_KEY" }, message);
}

function notSignable(dataset: string, { label }: VersionRow): DatasetError<"unsupported"> {
  const what = `${dataset}@${label}`;
  const message = `Cannot sign "${what}": its root is of a format that does not say which chunks its files consist of; a version made from it with VARVE_SIGNING_KEY set is signed`;
  return new DatasetError("unsupported", { what }, message);
}
