/**
 * A mount through fuse-native, with the face of one through the kernel: the tree is served on the main thread, and what
 * it misses is awaited there.
 */
import type { Block, Missing } from "../cache/block.js";
import type { Cache } from "../cache/cache.js";
import type { WorkerFigures } from "./messages.js";
import { AnswerMemory, Unanswered, keyOfQuestion } from "./questions.js";
import { rangeLoader } from "./range-loader.js";
import { type ServeOptions, type ServedMount, fetchShown } from "./serve.js";
import { openServedTree } from "./served-tree.js";
import { syncMount } from "./sync-mount.js";
import { serveFuseNative } from "./transport/fuse-native.js";

/** @throws {DatasetError} `mountpoint-unfit`, `mount-refused`, `unsupported`, `format-damaged` */
export async function serveThroughFuseNative(options: ServeOptions): Promise<ServedMount> {
  const {
    mountpoint,
    name,
    cache,
    subset,
    overlayDirectory,
    preserveOwner = false,
    allowOther,
    uid = process.getuid?.() ?? 0,
    gid = process.getgid?.() ?? 0,
    log,
  } = options;
  const shown = await fetchShown(options);
  const owner = { uid, gid, preserveOwner };
  const answers = new AnswerMemory();
  const prefetch = (blocks: readonly Block[]) => cache.prefetch(blocks);
  const supplied = { blocks: cache.local, answers, prefetch, load: rangeLoader(cache.local) };
  const writeTimes = "clock"; // the library's kernel module is asked for no writeback cache
  const tree = openServedTree(
    { shown, subset, overlayDirectory, writeTimes, isShared: allowOther, ...owner },
    supplied,
  );
  const fetch = async (missing: Missing) => {
    if (missing instanceof Unanswered)
      answers.put(keyOfQuestion(missing.question), await options.answer(missing.question));
    cache.prefetch(missing.ahead);
    await cache.readMany(missing.blocks);
  };
  const mount = await serveFuseNative({
    mountpoint,
    fileSystem: tree.fileSystem,
    fetch,
    name,
    allowOther,
    log,
  });
  const call = (operation: string, ...values: readonly unknown[]) =>
    cache.complete(() => tree.call(operation, values));
  return {
    mountpoint: mount.mountpoint,
    ended: mount.ended.finally(() => tree.close()),
    unmount: (how) => mount.unmount(how),
    sync: () => syncMount(mount.mountpoint),
    call: async (operation, ...values) => call(operation, ...values),
    counts: undefined,
    figures: () => Promise.resolve(figuresOf(cache)),
    // The tree is served on this thread, and the kernel keeps no writes: while `during` starts, nothing else runs.
    still: async (during) => during(),
  };
}

/** Of requests nothing is known here: the library keeps them. */
function figuresOf(cache: Cache): WorkerFigures {
  const { hits, memory } = cache.stats();
  return { hits, memory, ahead: { blocks: 0, usedBlocks: 0 }, writers: 0, waiting: [] };
}
