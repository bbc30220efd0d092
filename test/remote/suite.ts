/** The contract of `src/remote/remote.ts` as tests, the same for every adapter. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import fc from "fast-check";

import { type FailureCode, isDatasetError } from "../../src/errors.js";
import type { Body, Remote, RequestOptions } from "../../src/remote/remote.js";

/** Opens an empty remote, which the test's end takes away. */
export type OpenRemote = (t: TestContext) => Promise<Remote>;

/** Keys that a store may sort, quote or hide in its own way; none is a folder of another. */
const ODD_KEYS = [
  "A", "_", "a b", "a%2Fb", "a+b", "a-b", "a.b", "a/#1", "a/%", "a/..b", "a/.hidden", "a/b", "a/b.c/d", "a/b0", "a/b~/c",
  "a0", "a=b", "b/c/d/e/f", "~",
]; // prettier-ignore

export function remoteSuite(name: string, open: OpenRemote): void {
  const check: Check = (sentence, body) =>
    void test(`${name}: ${sentence}`, async (t) => body(await open(t)));

  readingTests(check);
  writingTests(check);
  creatingTests(check);
  listingTests(check);
  borderTests(check);
}

type Check = (sentence: string, body: (remote: Remote) => Promise<void>) => void;

function readingTests(check: Check): void {
  check("read() gives the bytes of any range", async (remote) => {
    const whole = bytes("0123456789");
    await remote.put("packs/ab", whole);
    const range = fc.tuple(fc.nat(10), fc.nat(10)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    await fc.assert(
      fc.asyncProperty(range, async ([start, end]) => {
        assert.deepEqual(await remote.read("packs/ab", start, end), whole.slice(start, end));
      }),
      { numRuns: 50 },
    );
  });

  check("read() beyond the end fails and gives no shorter buffer", async (remote) => {
    await remote.put("packs/ab", bytes("hello"));
    await assert.rejects(remote.read("packs/ab", 2, 9), {
      code: "remote-short",
      data: { key: "packs/ab", wantedBytes: 7, gotBytes: 3 },
    });
    await assert.rejects(remote.read("packs/ab", 7, 9), {
      code: "remote-short",
      data: { key: "packs/ab", wantedBytes: 2, gotBytes: 0 },
    });
  });

  check(
    "a missing object, or one that would lie below an object, is object-missing and has no stat",
    async (remote) => {
      await remote.put("packs/ab", bytes("hello"));
      for (const key of ["missing", "packs/missing", "none/missing", "packs", "packs/ab/below"]) {
        await assert.rejects(remote.read(key, 0, 1), failure("object-missing"), key);
        await assert.rejects(remote.readWhole(key), failure("object-missing"), key);
        assert.equal(await remote.stat(key), undefined, key);
      }
    },
  );

  check("readWhole() gives the whole object, or fails when it is larger than the bound", async (remote) => {
    await remote.put("roots/1", bytes("hello"));
    assert.deepEqual(await remote.readWhole("roots/1", { maxBytes: 5 }), bytes("hello"));
    await assert.rejects(remote.readWhole("roots/1", { maxBytes: 4 }), failure("format-damaged"));
  });

  check("an empty object exists and is empty", async (remote) => {
    await remote.put("empty", bytes(""));
    assert.deepEqual(await remote.readWhole("empty"), bytes(""));
    assert.deepEqual(await remote.read("empty", 0, 0), bytes(""));
    assert.equal((await remote.stat("empty"))?.sizeBytes, 0);
    await assert.rejects(remote.read("empty", 0, 1), failure("remote-short"));
  });

  check("reads made at the same time each give their own range", async (remote) => {
    const whole = new Uint8Array(10_000).map((_, index) => index % 251);
    await remote.put("packs/ab", whole);
    const starts = Array.from({ length: 100 }, (_, index) => index * 100);
    const got = await Promise.all(starts.map((start) => remote.read("packs/ab", start, start + 100)));
    assert.deepEqual(got, starts.map((start) => whole.slice(start, start + 100))); // prettier-ignore
  });
}

function writingTests(check: Check): void {
  check("put() replaces an object, and a reader who has read it before sees the new one", async (remote) => {
    await remote.put("leases/1", bytes("first"));
    assert.deepEqual(await remote.read("leases/1", 0, 5), bytes("first"));
    await remote.put("leases/1", bytes("the second"));
    assert.deepEqual(await remote.read("leases/1", 0, 10), bytes("the second"));
    assert.equal((await remote.stat("leases/1"))?.sizeBytes, 10);
  });

  check("stat() gives the size and a time that is about now", async (remote) => {
    await remote.put("roots/1", bytes("hello"));
    const info = await remote.stat("roots/1");
    assert.deepEqual({ ...info, modifiedMs: 0 }, { key: "roots/1", sizeBytes: 5, modifiedMs: 0 });
    assert.ok(Math.abs((info?.modifiedMs ?? 0) - Date.now()) < 3_600_000, String(info?.modifiedMs));
  });

  check("put() of a stream stores its pieces in order", async (remote) => {
    await remote.put("packs/ab", streamOf(["he", "", "llo"], 5));
    assert.deepEqual(await remote.readWhole("packs/ab"), bytes("hello"));
    await remote.put("packs/cd", streamOf([], 0));
    assert.deepEqual(await remote.readWhole("packs/cd"), bytes(""));
  });

  check(
    "put() of a stream that is shorter or longer than announced fails and stores nothing",
    async (remote) => {
      await remote.put("packs/ab", bytes("before"));
      for (const sizeBytes of [4, 6]) {
        await assert.rejects(
          remote.put("packs/ab", streamOf(["hel", "lo"], sizeBytes)),
          failure("bad-input"),
        );
        await assert.rejects(
          remote.put("packs/new", streamOf(["hel", "lo"], sizeBytes)),
          failure("bad-input"),
        );
      }
      assert.deepEqual(await keysOf(remote, ""), ["packs/ab"]);
      assert.deepEqual(await remote.readWhole("packs/ab"), bytes("before"));
    },
  );

  check("put() of a stream that fails passes its failure on and stores nothing", async (remote) => {
    const broken = new Error("the disk was pulled out");
    async function* chunks() {
      yield bytes("hel");
      await sleep(1);
      throw broken;
    }
    await assert.rejects(remote.put("packs/ab", { sizeBytes: 5, chunks }), broken);
    assert.deepEqual(await keysOf(remote, ""), []);
  });

  check("what a caller does to its bytes afterwards changes no object", async (remote) => {
    const given = bytes("hello");
    await remote.put("packs/ab", given);
    given.fill(0);
    (await remote.readWhole("packs/ab")).fill(1);
    (await remote.read("packs/ab", 0, 5)).fill(2);
    assert.deepEqual(await remote.read("packs/ab", 0, 5), bytes("hello"));
  });

  check("readers during replacing puts see one whole object or another", async (remote) => {
    const contents = ["a".repeat(10), "b".repeat(20_000), "c".repeat(300)].map(bytes);
    await remote.put("leases/1", contents[0]!);
    let writing = true;
    const seen = readUntil(remote, "leases/1", () => !writing);
    for (let round = 1; round <= 30; round++) await remote.put("leases/1", contents[round % 3]!);
    writing = false;
    for (const content of await seen)
      assert.ok(contents.some((whole) => Buffer.compare(whole, content) === 0));
  });

  check("puts made at the same time are all there", async (remote) => {
    const keys = Array.from({ length: 40 }, (_, index) => `packs/${index % 7}/${index % 3}/${index}`);
    await Promise.all(keys.map((key) => remote.put(key, bytes(key))));
    const got = await Promise.all(keys.map(async (key) => text(await remote.readWhole(key))));
    assert.deepEqual(got, keys);
  });

  check("delete() takes an object away; deleting what is not there is no error", async (remote) => {
    await remote.put("leases/1", bytes("hello"));
    await remote.read("leases/1", 0, 5);
    await remote.delete("leases/1");
    await assert.rejects(remote.read("leases/1", 0, 5), failure("object-missing"));
    for (const key of ["leases/1", "leases", "none/such", "leases/1/below"]) await remote.delete(key);
    assert.deepEqual(await keysOf(remote, ""), []);
  });
}

function creatingTests(check: Check): void {
  check("create() of a key succeeds once and never replaces", async (remote) => {
    await remote.create("names/a", bytes("first"));
    await assert.rejects(remote.create("names/a", bytes("second")), {
      code: "object-exists",
      data: { key: "names/a" },
    });
    assert.deepEqual(await remote.readWhole("names/a"), bytes("first"));
    await remote.delete("names/a");
    await remote.create("names/a", bytes("third"));
    assert.deepEqual(await remote.readWhole("names/a"), bytes("third"));
  });

  check("create() of a key that was put fails", async (remote) => {
    await remote.put("names/a", bytes("put"));
    await assert.rejects(remote.create("names/a", bytes("created")), failure("object-exists"));
  });

  check("of twenty who create one key, one wins and its bytes are stored", async (remote) => {
    const racers = Array.from({ length: 20 }, (_, index) => `racer ${index}`);
    const results = await Promise.allSettled(
      racers.map((racer) => remote.create("versions/1.0.0", bytes(racer))),
    );
    const winners = racers.filter((_, index) => results[index]?.status === "fulfilled");
    const losers = results.filter((result) => result.status === "rejected");
    assert.deepEqual(winners, [text(await remote.readWhole("versions/1.0.0"))]);
    assert.ok(losers.every(({ reason }) => isDatasetError(reason, "object-exists")));
  });
}

function listingTests(check: Check): void {
  check("list() gives every key in bytewise order, whatever characters it has", async (remote) => {
    for (const key of ODD_KEYS.toReversed()) await remote.put(key, bytes(key));
    assert.deepEqual(await keysOf(remote, ""), ODD_KEYS.toSorted());
    for await (const info of remote.list("")) assert.equal(info.sizeBytes, info.key.length);
  });

  check("list() gives the keys with a prefix, which need not end at a slash", async (remote) => {
    for (const key of ODD_KEYS) await remote.put(key, bytes(key));
    for (const prefix of [
      "a",
      "a/",
      "a/b",
      "a/b.c/",
      "a/b.c/d",
      "a/..",
      "b/c",
      "a b",
      "zzz",
      "none/such/",
      "a/b/",
    ]) {
      const wanted = ODD_KEYS.toSorted().filter((key) => key.startsWith(prefix));
      assert.deepEqual(await keysOf(remote, prefix), wanted, prefix);
    }
  });

  check("list() goes on after any key, there or not", async (remote) => {
    for (const key of ODD_KEYS) await remote.put(key, bytes(key));
    for (const after of [...ODD_KEYS, "", "a/", "a/b.", "a/b.c", "a/b.c/zz", "a/zz", "zz", "~~"])
      for (const prefix of ["", "a/", "a/b"]) {
        const wanted = ODD_KEYS.toSorted().filter((key) => key.startsWith(prefix) && key > after);
        assert.deepEqual(await keysOf(remote, prefix, after), wanted, `${prefix} after ${after}`);
      }
  });

  check("list() of more objects than one page is complete, and may be left early", async (remote) => {
    const keys = Array.from(
      { length: 150 },
      (_, index) => `packs/${index % 10}/${String(index).padStart(3, "0")}`,
    );
    await Promise.all(keys.map((key) => remote.put(key, bytes(""))));
    assert.deepEqual(await keysOf(remote, "packs/"), keys.toSorted());
    for await (const { key } of remote.list("packs/")) {
      assert.equal(key, keys.toSorted()[0]);
      break;
    }
  });
}

function borderTests(check: Check): void {
  check("keys that could leave the remote are refused by every call", async (remote) => {
    for (const key of [
      "",
      "/etc/passwd",
      "..",
      "../up",
      "a/../b",
      "a//b",
      "a/",
      "./a",
      "ä",
      "a\0b",
      "a\nb",
      "x".repeat(300),
    ])
      for (const call of callsOf(remote, key))
        await assert.rejects(call({}), failure("bad-input"), JSON.stringify(key));
    for (const prefix of ["/", "../", "a/../b", "a//"])
      await assert.rejects(keysOf(remote, prefix), failure("bad-input"), prefix);
  });

  check("a signal aborted before ends every call and nothing is done", async (remote) => {
    await remote.put("here", bytes("hello"));
    const signal = AbortSignal.abort();
    for (const call of callsOf(remote, "here")) await assert.rejects(call({ signal }), failure("cancelled"));
    await assert.rejects(remote.create("new", bytes("x"), { signal }), failure("cancelled"));
    await assert.rejects(keysOf(remote, "", "", { signal }), failure("cancelled"));
    assert.deepEqual(await keysOf(remote, ""), ["here"]);
    assert.deepEqual(await remote.readWhole("here"), bytes("hello"));
  });

  check("a signal aborted in the middle of a stream ends the put and nothing is stored", async (remote) => {
    const controller = new AbortController();
    async function* chunks() {
      yield bytes("hel");
      controller.abort();
      yield bytes("lo");
    }
    const put = remote.put("packs/ab", { sizeBytes: 5, chunks }, { signal: controller.signal });
    await assert.rejects(put, failure("cancelled"));
    assert.deepEqual(await keysOf(remote, ""), []);
  });

  check("a signal aborted in the middle of a listing ends it", async (remote) => {
    for (const key of ["a", "b", "c"]) await remote.put(key, bytes(key));
    const controller = new AbortController();
    const seen: string[] = [];
    const listing = (async () => {
      for await (const { key } of remote.list("", { signal: controller.signal })) {
        seen.push(key);
        controller.abort();
      }
    })();
    await assert.rejects(listing, failure("cancelled"));
    assert.deepEqual(seen, ["a"]);
  });

  check("close() twice is the same as once", async (remote) => {
    await remote.put("a", bytes("hello"));
    await remote.read("a", 0, 5);
    await remote.close();
    await remote.close();
  });
}

export function bytes(content: string): Uint8Array {
  return new Uint8Array(Buffer.from(content));
}

export function text(content: Uint8Array): string {
  return Buffer.from(content).toString();
}

export async function keysOf(
  remote: Remote,
  prefix: string,
  after = "",
  options: RequestOptions = {},
): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of remote.list(prefix, { ...options, after })) keys.push(key);
  return keys;
}

/** For `assert.rejects`: a failure of ours with this code. */
export function failure(code: FailureCode): (error: unknown) => boolean {
  return (error) => {
    if (isDatasetError(error, code)) return true;
    throw new Error(`Expected a failure "${code}"`, { cause: error });
  };
}

function streamOf(pieces: string[], sizeBytes: number): Body {
  async function* chunks() {
    for (const piece of pieces) {
      await sleep(0);
      yield bytes(piece);
    }
  }
  return { sizeBytes, chunks };
}

function callsOf(remote: Remote, key: string): ((options: RequestOptions) => Promise<unknown>)[] {
  return [
    (options) => remote.read(key, 0, 1, options),
    (options) => remote.readWhole(key, options),
    (options) => remote.stat(key, options),
    (options) => remote.put(key, bytes("x"), options),
    (options) => remote.create(key, bytes("x"), options),
    (options) => remote.delete(key, options),
  ];
}

async function readUntil(remote: Remote, key: string, done: () => boolean): Promise<Uint8Array[]> {
  const seen: Uint8Array[] = [];
  while (!done()) seen.push(await remote.readWhole(key));
  assert.ok(seen.length > 0);
  return seen;
}
