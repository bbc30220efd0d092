/** A mount among the users of its cache: seen by `varve cache status`, and what it has pinned stays while it lives. */
import type { Holder } from "../cache/holders.js";
import { holderFacts } from "../dataset/cached-content.js";
import type { Workspace } from "../dataset/workspace.js";
import { messageOf } from "../errors.js";
import type { Log } from "../log.js";
import { type DaemonConfig, nameOfShown } from "./config.js";

/** Enters the mount; where the cache does not work, it is served without. */
export function holdCache(
  workspace: Workspace,
  { mountpoint, shown, options }: DaemonConfig,
  log: Log,
): Holder | undefined {
  const reference = nameOfShown(shown ?? { dataset: null, version: null });
  try {
    const housekeeping = workspace.housekeeping();
    const holder = housekeeping.hold({ use: "mount", mountpoint, ...holderFacts(reference) });
    if (options.pin !== undefined) housekeeping.pins.pass(options.pin, holder.id);
    return holder;
  } catch (error) {
    log.warn("cache not held", { problem: messageOf(error) });
    return undefined;
  }
}
