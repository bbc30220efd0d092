/** What the API says of an object, and the part of it that a request asks for. */
import { invalid } from "./error.js";
import type { Reply } from "../object-server/reply.js";
import type { StoredObject } from "./store.js";

type Json = { [name: string]: Json | undefined } | Json[] | string | undefined;

export function resourceOf(bucket: string, object: StoredObject): { [name: string]: Json } {
  const { key, generation, said, sizeBytes, md5, crc32c, createdMs } = object;
  const time = new Date(createdMs).toISOString();
  return {
    kind: "storage#object",
    id: `${bucket}/${key}/${generation}`,
    name: key,
    bucket,
    generation: String(generation),
    metageneration: "1",
    contentType: said.contentType,
    cacheControl: said.cacheControl,
    storageClass: "STANDARD",
    size: String(sizeBytes),
    md5Hash: md5,
    crc32c,
    metadata: said.metadata,
    timeCreated: time,
    updated: time,
  };
}

/** JSON with no more than `fields` names: `size,items(name,size)`. */
export function jsonReply(value: { [name: string]: Json }, query: URLSearchParams): Reply {
  const fields = query.get("fields");
  const shown = fields === null ? value : partOf(value, parseFields(fields));
  const headers = { "content-type": "application/json; charset=UTF-8" };
  return { status: 200, headers, body: Buffer.from(JSON.stringify(shown)) };
}

type Fields = Map<string, Fields | undefined>;

function partOf(value: Json, fields: Fields | undefined): Json {
  if (!fields || value === undefined || typeof value === "string") return value;
  if (Array.isArray(value)) return value.map((each) => partOf(each, fields));
  const names = Object.keys(value).filter((name) => fields.has(name));
  return Object.fromEntries(names.map((name) => [name, partOf(value[name], fields.get(name))]));
}

function parseFields(text: string): Fields {
  const fields: Fields = new Map();
  const pattern = /([A-Za-z0-9]+)(?:\(([^()]*)\))?(?:,|$)/y;
  while (pattern.lastIndex < text.length) {
    const [, name, inner] = pattern.exec(text) ?? [];
    if (name === undefined) throw invalid(`Invalid field selection ${text}`);
    fields.set(name, inner === undefined ? undefined : parseFields(inner));
  }
  return fields;
}
