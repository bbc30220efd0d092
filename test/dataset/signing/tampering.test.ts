/** A writer of the bucket without the key changes whatever lies there: nothing but what was signed is read. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";

import type { VersionRecord } from "../../../src/dataset/record.js";
import { EntryType } from "../../../src/manifest/entry.js";
import { keyOf } from "../../../src/manifest/key.js";
import { noise } from "../../content/noise.js";
import { path } from "../../manifest/support.js";
import {
  Forgery,
  LARGE,
  type SignedLab,
  changeRecord,
  listedChunks,
  recordsIn,
  refused,
  signedLab,
  withChunks,
} from "./lab.js";

const FILES = { "a.txt": "a", "b/c.txt": "c", large: LARGE };

async function lab(t: TestContext): Promise<SignedLab> {
  const made = await signedLab(t);
  await made.sync(FILES);
  return made;
}

test("what was signed is read by who asks for the signature", async (t) => {
  const signed = await lab(t);
  assert.deepEqual(Object.keys(await signed.read()), ["a.txt", "b", "b/c.txt", "large"]);
});

test("a version without a signature, or with that of another key, is refused, and read by who asks for none", async (t) => {
  const signed = await lab(t);
  await signed.sync({ "a.txt": "other" }, { dataset: "lab/unsigned", signed: false });
  const other = (await signedLab(t)).key;
  await refused(signed.read("lab/unsigned@1.0.0"), "untrusted", /is not signed, and must be by release/);
  await refused(
    signed.read("lab/data@1.0.0", [`varve-ed25519 ${other.base64} other`]),
    "untrusted",
    /is not signed by other/,
  );
  assert.deepEqual(Object.keys(await signed.readUnasked("lab/unsigned@1.0.0")), ["a.txt"]);
});

test("a signature that was taken away, or whose bytes were changed, is none", async (t) => {
  const signed = await lab(t);
  const record = [...recordsIn(signed.remote).values()][0]!;
  const [signature] = record.annexes!["signature"] as { signature: string; statement: string }[];
  const flipped = Buffer.from(signature!.signature, "base64");
  flipped[3]! ^= 1;
  for (const annexes of [
    {},
    { signature: [] },
    { signature: [{ ...signature!, signature: flipped.toString("base64") }] },
    { signature: [{ ...signature!, statement: `${signature!.statement} ` }] },
    { signature: [{ ...signature!, signature: "" }] },
    { signature: [7, null, "", { format: 2 }] },
  ] as VersionRecord["annexes"][]) {
    changeRecord(signed, (found) => ({ ...found, annexes }));
    await refused(signed.read(), "untrusted", /signed/);
  }
});

const CHANGES: Record<string, (record: VersionRecord) => Partial<VersionRecord>> = {
  id: () => ({ id: "0".repeat(32) as VersionRecord["id"] }),
  parents: () => ({ parents: [{ id: "1".repeat(32), dataset: "lab/data", label: "0.9.0" }] }),
  createdBy: () => ({ createdBy: "somebody" }),
  createdAtMs: ({ createdAtMs }) => ({ createdAtMs: createdAtMs - 1 }),
  completedAtMs: ({ completedAtMs }) => ({ completedAtMs: completedAtMs + 1 }),
  files: ({ files }) => ({ files: files + 1 }),
  bytes: ({ bytes }) => ({ bytes: bytes - 1 }),
  digest: ({ contentDigest }) => ({ digest: contentDigest }),
  contentDigest: ({ digest }) => ({ contentDigest: digest }),
};
test("a record that says anything else of what the version is, is refused", async (t) => {
  const signed = await lab(t);
  const [path, record] = [...recordsIn(signed.remote)][0]!;
  for (const change of Object.values(CHANGES)) {
    writeFileSync(path, JSON.stringify({ ...record, ...change(record) }));
    await refused(signed.read(), "untrusted", /and not what this is/);
  }
});

test("an older version passed off under a newer label is refused", async (t) => {
  const signed = await lab(t);
  await signed.sync({ "a.txt": "newer" }, { version: "1.1.0" });
  const [path, record] = [...recordsIn(signed.remote)].find(([, { label }]) => label === "1.0.0")!;
  writeFileSync(join(dirname(path), "2.0.0"), readFileSync(path));
  await refused(signed.read("lab/data@2.0.0"), "format-damaged", /damaged/);
  writeFileSync(join(dirname(path), "2.0.0"), JSON.stringify({ ...record, label: "2.0.0" }));
  await refused(signed.read("lab/data@2.0.0"), "untrusted", /signed is lab\/data@1.0.0/);
  await refused(signed.read("lab/data"), "untrusted", /signed is lab\/data@1.0.0/);
});

test("a dataset that is signed too does not pass for another, whatever the names of the bucket say", async (t) => {
  const signed = await lab(t);
  await signed.sync({ "a.txt": "other" }, { dataset: "lab/other" });
  const names = join(signed.remote, "names/lab");
  writeFileSync(join(names, "data"), readFileSync(join(names, "other")));
  await refused(signed.read(), "untrusted", /signed is lab\/other@1.0.0/);
});

test("the root of another version is damage for everybody, and with its digests in the record a forgery for who asks", async (t) => {
  const signed = await lab(t);
  await signed.sync({ "a.txt": "evil" }, { dataset: "lab/evil", signed: false });
  const evil = [...recordsIn(signed.remote).values()].find(({ dataset }) => dataset.name === "evil")!;
  const { root, digest, contentDigest, files, bytes } = evil;
  const [path, record] = [...recordsIn(signed.remote)].find(([, { dataset }]) => dataset.name === "data")!;
  writeFileSync(path, JSON.stringify({ ...record, root }));
  await refused(signed.readUnasked(), "format-damaged", /not that of its version/);
  await refused(signed.read(), "format-damaged", /not that of its version/);
  writeFileSync(path, JSON.stringify({ ...record, root, digest, contentDigest, files, bytes }));
  assert.deepEqual(Object.keys(await signed.readUnasked()), ["a.txt"]);
  await refused(signed.read(), "untrusted", /and not what this is/);
});

test("other chunks for a file of several are refused, though its own hash and all digests stay", async (t) => {
  const signed = await lab(t);
  const honest = await signed.read();
  const forgery = new Forgery(signed);
  const chunks = listedChunks(forgery.range(0));
  const evil = forgery.pack(chunks.map(({ sizeBytes }) => noise("evil", sizeBytes)));
  const ref = forgery.change((entry) => withChunks(entry, evil));
  assert.equal(ref.id, forgery.refs[0]!.id);
  forgery.install([ref]);
  assert.notDeepEqual(await signed.readUnasked(), honest);
  await refused(signed.read(), "untrusted", /root is not the one that was signed/);
  // As if nothing was changed but the object: the root says the old chunks.
  forgery.install([{ ...ref, chunkLists: forgery.refs[0]!.chunkLists }]);
  await refused(signed.read(), "format-damaged", /other chunks than its root says/);
  // A root of the old format says nothing of chunks.
  forgery.install([{ ...ref, chunkLists: undefined }]);
  assert.notDeepEqual(await signed.readUnasked(), honest);
  await refused(signed.read(), "untrusted", /root is not the one that was signed/);
});

test("the same chunks in other packs, named by another range object and root, are what was signed", async (t) => {
  const signed = await lab(t);
  const honest = await signed.read();
  const forgery = new Forgery(signed);
  const chunks = listedChunks(forgery.range(0));
  let at = 0;
  const contents = chunks.map(({ sizeBytes }) => LARGE.subarray(at, (at += sizeBytes)));
  const moved = forgery.pack(contents.toReversed());
  const ref = forgery.change((entry) => withChunks(entry, moved.toReversed()));
  assert.notEqual(ref.object, forgery.refs[0]!.object);
  forgery.install([ref]);
  assert.deepEqual(await signed.read(), honest);
});

test("a file that was left out, added or changed is refused", async (t) => {
  const signed = await lab(t);
  const forgery = new Forgery(signed);
  const [evil] = forgery.pack([Buffer.from("b")]);
  const without = forgery.change((entry) => (entry.path === "a.txt" ? undefined : entry));
  const changed = forgery.change((entry) =>
    entry.path === "a.txt" && entry.type === EntryType.file
      ? { ...entry, sha256: evil!.hash, chunks: [evil!] }
      : entry,
  );
  const open = forgery.change((entry) => ({ ...entry, mode: 0o777 }));
  for (const ref of [without, changed, open]) {
    forgery.install([ref]);
    await signed.readUnasked();
    await refused(signed.read(), "untrusted", /and not what this is/);
  }
});

test("ranges that are hidden by a wrong first key or count are refused, though every digest fits", async (t) => {
  const signed = await lab(t);
  const forgery = new Forgery(signed);
  const [ref] = forgery.refs;
  const { totals } = ref!;
  forgery.install([{ ...ref!, totals: { ...totals, contentBytes: totals.contentBytes + 1 } }]);
  await refused(signed.read(), "untrusted", /root is not the one that was signed/);
  forgery.install([{ ...ref!, totals: { ...totals, files: totals.files + 1, entries: totals.entries + 1 } }]);
  await refused(signed.read(), "untrusted", /root is not the one that was signed/);
  assert.equal(ref!.firstKey, keyOf(path("")));
});

test("changed bytes of packs, ranges and roots reach nobody", async (t) => {
  const signed = await lab(t);
  for (const folder of ["packs", "ranges", "roots"]) {
    const names = readdirSync(join(signed.remote, folder), { recursive: true, withFileTypes: true });
    for (const file of names.filter((one) => one.isFile())) {
      const at = join(file.parentPath, file.name);
      const before = readFileSync(at);
      const changed = Buffer.from(before);
      changed[changed.length >> 1]! ^= 0x10;
      writeFileSync(at, changed);
      await refused(signed.read(), "content-damaged", /./);
      writeFileSync(at, before);
    }
  }
  await signed.read();
});
