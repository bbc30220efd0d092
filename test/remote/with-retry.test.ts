import assert from "node:assert/strict";
import { test } from "node:test";

import { DatasetError, type FailureCode } from "../../src/errors.js";
import { recording } from "../../src/remote/recording.js";
import type { Remote } from "../../src/remote/remote.js";
import { withAttempts, withRetry } from "../../src/remote/with-retry.js";
import { memoryRemote } from "../support/memory-remote.js";
import { bytes, failure, keysOf, remoteSuite } from "./suite.js";

remoteSuite("memory with retries", async () => withRetry(memoryRemote(), { baseDelayMs: 1 }));

remoteSuite("memory that fails the first request of a kind for a key, with retries", async () => {
  return withRetry(failing(memoryRemote(), firstOfEach(), "before"), { pause: async () => undefined });
});

test("a call that fails in a way that may heal is made again, after pauses whose bound doubles", async (t) => {
  t.mock.method(Math, "random", () => 0.5);
  const pauses: number[] = [];
  const store = recording(memoryRemote({ a: "hello" }));
  const remote = withRetry(failing(store, ["remote-failed", "remote-short", "remote-failed"], "after"), {
    baseDelayMs: 100,
    maxDelayMs: 300,
    pause: async (ms) => pauses.push(ms),
  });
  assert.deepEqual(await remote.read("a", 0, 5), bytes("hello"));
  assert.deepEqual(store.calls, Array(4).fill("read a [0, 5)"));
  assert.deepEqual(pauses, [50, 100, 150]);
});

test("the same remote is had with other attempts, and is itself as it was", async () => {
  const store = recording(memoryRemote({ a: "hello" }));
  const remote = withRetry(failing(store, Array<FailureCode>(9).fill("remote-failed"), "after"), {
    attempts: 3,
    pause: async () => undefined,
  });
  await assert.rejects(withAttempts(withAttempts(remote, 4), 1).stat("a"), failure("remote-failed"));
  assert.equal(store.calls.length, 1);
  await assert.rejects(remote.stat("a"), failure("remote-failed"));
  assert.equal(store.calls.length, 4);
  assert.equal(withAttempts(store, 2), store, "one that has no patience has none");
});

test("after as many attempts as were allowed the last failure is passed on", async () => {
  const store = recording(memoryRemote({ a: "hello" }));
  const remote = withRetry(failing(store, Array<FailureCode>(9).fill("remote-failed"), "after"), {
    attempts: 3,
    pause: async () => undefined,
  });
  await assert.rejects(remote.stat("a"), failure("remote-failed"));
  assert.deepEqual(store.calls, ["stat a", "stat a", "stat a"]);
});

test("a failure that will not heal is passed on at once", async () => {
  for (const code of ["object-missing", "remote-refused", "disk-full", "cancelled"] as const) {
    const store = recording(memoryRemote({ a: "hello" }));
    const remote = withRetry(failing(store, [code], "after"));
    await assert.rejects(remote.readWhole("a"), failure(code));
    assert.deepEqual(store.calls, ["readWhole a"]);
  }
});

test("a remote that never answers ends the call with deadline, which says what was waited for", async () => {
  const remote = withRetry(silent(), { deadlineMs: 20 });
  await assert.rejects(remote.read("a", 0, 5), {
    code: "deadline",
    data: { waitedForMs: 21, what: 'read of "a" in memory://' },
  });
  await assert.rejects(remote.delete("a"), {
    code: "deadline",
    message: 'Gave up the delete of "a" in memory://: nothing came for 0.02 s',
  });
  await assert.rejects(keysOf(remote, "a"), failure("deadline"));
});

test("the deadline covers the pauses between attempts", async () => {
  const store = failing(memoryRemote(), Array<FailureCode>(9).fill("remote-failed"), "before");
  const remote = withRetry(store, { deadlineMs: 20, pause: () => new Promise(() => undefined) });
  await assert.rejects(remote.stat("a"), failure("deadline"));
});

test("a caller who cancels while the remote is silent, or during a pause, is let go", async () => {
  for (const store of [silent(), failing(memoryRemote(), ["remote-failed"], "before")]) {
    const controller = new AbortController();
    const call = withRetry(store, { baseDelayMs: 1e6, maxDelayMs: 1e6 }).stat("a", controller);
    setImmediate(() => controller.abort());
    await assert.rejects(call, failure("cancelled"));
  }
});

test("a create whose answer was lost finds its own bytes and has succeeded", async () => {
  const store = memoryRemote();
  const remote = withRetry(failing(store, ["remote-failed"], "after"), { pause: async () => undefined });
  await remote.create("names/a", bytes("ours"));
  assert.deepEqual(store.objects.get("names/a"), bytes("ours"));
});

test("a create that failed and then finds the bytes of another fails", async () => {
  for (const theirs of ["them", "theirs", ""]) {
    const store = memoryRemote();
    const remote = withRetry(failing(store, ["remote-failed"], "before"), {
      pause: () => store.put("names/a", bytes(theirs)),
    });
    await assert.rejects(remote.create("names/a", bytes("ours")), failure("object-exists"));
  }
});

test("a create that finds equal bytes at its first attempt fails: somebody else wrote them", async () => {
  const remote = withRetry(memoryRemote({ "names/a": "ours" }));
  await assert.rejects(remote.create("names/a", bytes("ours")), failure("object-exists"));
});

test("a put is sent again, that of a stream that has begun from its start", async () => {
  const store = memoryRemote();
  const remote = withRetry(failing(store, ["remote-failed", "remote-failed"], "after"), {
    pause: async () => undefined,
  });
  await remote.put("packs/ab", bytes("hello"));
  assert.deepEqual(store.objects.get("packs/ab"), bytes("hello"));

  const stream = { sizeBytes: 5, chunks: () => pieces(["hel", "lo"]) };
  const again = withRetry(failing(store, ["remote-failed", "remote-failed"], "after"), {
    pause: async () => undefined,
  });
  await again.put("packs/cd", stream);
  assert.deepEqual(store.objects.get("packs/cd"), bytes("hello"));
});

test("a put of a stream that the remote did not touch is sent again", async () => {
  const store = memoryRemote();
  const remote = withRetry(failing(store, ["remote-failed"], "before"), { pause: async () => undefined });
  await remote.put("packs/ab", { sizeBytes: 5, chunks: () => pieces(["hel", "lo"]) });
  assert.deepEqual(store.objects.get("packs/ab"), bytes("hello"));
});

test("a listing that breaks off goes on after the last key it gave", async () => {
  const store = recording(memoryRemote({ "p/a": "", "p/b": "", "p/c": "", q: "" }));
  let broken = false;
  const breaking: Remote = {
    ...store,
    async *list(prefix, options) {
      for await (const info of store.list(prefix, options)) {
        yield info;
        if (!broken) {
          broken = true;
          throw failureOf("remote-failed");
        }
      }
    },
  };
  const remote = withRetry(breaking, { pause: async () => undefined });
  assert.deepEqual(await keysOf(remote, "p/"), ["p/a", "p/b", "p/c"]);
  assert.deepEqual(store.calls, ["list p/ after ", "list p/ after p/a"]);
});

test("a put cancelled in the middle of its stream leaves no timer behind", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
  const before = timers();
  const controller = new AbortController();
  let given = (): void => undefined;
  const allGiven = new Promise<void>((resolve) => (given = resolve));
  async function* chunks() {
    try {
      yield bytes("hel");
      controller.abort();
      yield bytes("lo");
    } finally {
      given();
    }
  }
  const put = withRetry(memoryRemote()).put("a", { sizeBytes: 5, chunks }, controller);
  await assert.rejects(put, failure("cancelled"));
  await allGiven;
  assert.equal(timers(), before);
});

/** Which failure befalls a request, told by its kind and key. */
type Fate = (request: string) => FailureCode | undefined;

/** `remote`, failing before or after it did what was asked. */
function failing(remote: Remote, failures: readonly FailureCode[] | Fate, when: "before" | "after"): Remote {
  const fate = typeof failures === "function" ? failures : inOrder(failures);
  const spoiled =
    <Asked extends [string, ...unknown[]], T>(kind: string, work: (...asked: Asked) => Promise<T>) =>
    async (...asked: Asked): Promise<T> => {
      const code = fate(`${kind} ${asked[0]}`);
      if (code && when === "before") throw failureOf(code);
      const answer = await work(...asked);
      if (code) throw failureOf(code);
      return answer;
    };
  return {
    ...remote,
    read: spoiled("read", remote.read.bind(remote)),
    readWhole: spoiled("readWhole", remote.readWhole.bind(remote)),
    stat: spoiled("stat", remote.stat.bind(remote)),
    put: spoiled("put", remote.put.bind(remote)),
    create: spoiled("create", remote.create.bind(remote)),
    delete: spoiled("delete", remote.delete.bind(remote)),
  };
}

function inOrder(failures: readonly FailureCode[]): Fate {
  const left = [...failures];
  return () => left.shift();
}

function firstOfEach(): Fate {
  const seen = new Set<string>();
  return (request) => {
    if (seen.has(request)) return undefined;
    seen.add(request);
    return "remote-failed";
  };
}

/** A remote that takes requests, answers none and heeds no signal. */
function silent(): Remote {
  const never = () => new Promise<never>(() => undefined);
  const list = () => ({ [Symbol.asyncIterator]: () => ({ next: never }) });
  return { ...memoryRemote(), read: never, stat: never, delete: never, list };
}

function failureOf(code: FailureCode): DatasetError {
  const data = { key: "a", wantedBytes: 5, gotBytes: 1, path: "/", what: "a" };
  return new DatasetError(code, data, `Cannot do it: ${code}`);
}

async function* pieces(texts: string[]): AsyncGenerator<Uint8Array> {
  for (const piece of texts) yield bytes(piece);
}
