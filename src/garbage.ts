/** Freeing memory in time. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/**
 * Has V8 look for garbage now. Memory that threads share weighs nothing to it, so by itself it lets gigabytes of it lie
 * where little else is allocated. Costs some milliseconds.
 */
export function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}
