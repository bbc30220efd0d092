/**
 * Puts of streams. A short one goes in one request, a long one in blocks, a few at once. A block is called by its number
 * and its SHA-256, so a block that lies in the store under the name that would be given is the one that would be sent:
 * whoever goes on with an upload, in this process or another, sends only the rest.
 * Source: https://learn.microsoft.com/en-us/rest/api/storageservices/put-block-list
 */
import { isDatasetError } from "../../errors.js";
import { HASH_METADATA, at } from "./read.js";
import { md5Of, putBytes } from "./put.js";
import type { AzureRequests } from "./requests.js";
import { checkSignal } from "../cancel.js";
import { type Part, partBytesFor, partsOf } from "../parts.js";
import type { Body, ObjectKey, PutOptions } from "../remote.js";
import { PARTS_AT_ONCE, checkSent, sendParts, sendPatiently } from "../sending.js";
import { Slots } from "../slots.js";

/** Source: https://learn.microsoft.com/en-us/azure/storage/blobs/scalability-targets */
const MAX_BLOCKS = 50_000;

type Stream = Exclude<Body, Uint8Array>;
export type Upload = (key: ObjectKey, body: Stream, options?: PutOptions) => Promise<void>;

/** Where an upload goes. */
interface Target {
  requests: AzureRequests;
  key: ObjectKey;
  signal: AbortSignal | undefined;
}

/** The sizes of the blocks that the store has of a blob, by name. */
type Blocks = ReadonlyMap<string, number>;

/** Uploads to one remote, which share the memory for blocks. */
export function uploader(requests: AzureRequests): Upload {
  const slots = new Slots(PARTS_AT_ONCE);

  return async (key, body, options = {}) => {
    const { signal } = options;
    checkSignal(signal, `put of "${key}" in ${requests.url}`);
    const partBytes = partBytesFor(body.sizeBytes, MAX_BLOCKS);
    const source = partsOf(key, body, partBytes, signal);
    if (body.sizeBytes <= partBytes) {
      for await (const { bytes } of source) await putBytes(requests, key, bytes, options);
      return;
    }
    const target = { requests, key, signal };
    const there = await blocksOf(target);
    const { parts, sha256 } = await sendParts(source, slots, (part) => sendOnce(target, there, part));
    checkSent(key, sha256, options.sha256);
    await commit(target, parts, sha256);
  };
}

/** Committed blocks too: an object that is put once more is there already. */
async function blocksOf({ requests, key, signal }: Target): Promise<Blocks> {
  try {
    const asked = { attempt: "look for an unfinished put of", key, signal };
    const found = await requests.make(asked, (container, deadline) =>
      container.getBlockBlobClient(at(requests, key)).getBlockList("all", { abortSignal: deadline.signal }),
    );
    const blocks = [...(found.committedBlocks ?? []), ...(found.uncommittedBlocks ?? [])];
    return new Map(blocks.map(({ name, size }) => [name, size]));
  } catch (error) {
    // Without the right to read, an upload only begins anew.
    if (isDatasetError(error, "object-missing") || isDatasetError(error, "remote-refused")) return new Map();
    throw error;
  }
}

/** The block's name. A block that lies there already is not sent again. */
async function sendOnce(target: Target, there: Blocks, part: Part): Promise<string> {
  const name = nameOf(part);
  if (there.get(name) === part.bytes.byteLength) return name;
  const { requests, key, signal } = target;
  const { url } = requests;
  await sendPatiently(part, { key, url, signal }, (patience) => sendBlock(target, name, part, patience));
  return name;
}

async function sendBlock(
  { requests, key }: Target,
  name: string,
  { bytes }: Part,
  signal: AbortSignal,
): Promise<void> {
  const md5 = md5Of(bytes);
  const asked = { attempt: "put", key, signal, sendsBytes: bytes.byteLength };
  await requests.make(asked, (container, deadline) =>
    container.getBlockBlobClient(at(requests, key)).stageBlock(name, bytes, bytes.byteLength, {
      transactionalContentMD5: md5,
      abortSignal: deadline.signal,
    }),
  );
}

/** Makes the blocks one object. A block that is not there, or is another, makes the store refuse. */
async function commit({ requests, key, signal }: Target, names: string[], sha256: string): Promise<void> {
  const metadata = { [HASH_METADATA]: sha256 };
  await requests.make({ attempt: "put", key, signal }, (container, deadline) =>
    container
      .getBlockBlobClient(at(requests, key))
      .commitBlockList(names, { metadata, abortSignal: deadline.signal }),
  );
}

/** Base64, and of equal length for all blocks, as Azure wants it. */
function nameOf({ number, sha256 }: Part): string {
  const position = Buffer.alloc(4);
  position.writeUInt32BE(number);
  return Buffer.concat([position, Buffer.from(sha256, "base64")]).toString("base64");
}
