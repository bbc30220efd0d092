/** Waiting for what another process is making: until it is done or has ended, since the system frees its lock then. */
import { setTimeout as sleep } from "node:timers/promises";
import { type FileLock, tryLock } from "../../file-lock.js";

const POLL_MS = 50;
const TELL_AFTER_MS = 1_000;

/** @param onWait Told once, when it takes longer than a second. */
export async function waitForLock(
  path: string,
  { signal, onWait }: { signal?: AbortSignal | undefined; onWait: () => void },
): Promise<FileLock> {
  const since = performance.now();
  let told = false;
  for (;;) {
    const lock = tryLock(path);
    if (lock) return lock;
    if (!told && performance.now() - since > TELL_AFTER_MS) onWait();
    told ||= performance.now() - since > TELL_AFTER_MS;
    await sleep(POLL_MS, undefined, { signal });
  }
}
