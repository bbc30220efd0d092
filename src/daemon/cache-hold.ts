/** A mount among the users of its cache: seen by `varve cache status`, and what it has pinned stays while it lives. */
import type { Holder } from "../cache/holders.js";
import { holderFacts, pinLocal } from "../dataset/cached-content.js";
import type { FoundVersion } from "../dataset/history.js";
import type { Workspace } from "../dataset/workspace.js";
import { messageOf } from "../errors.js";
import type { Log } from "../log.js";
import { type DaemonConfig, nameOfShown } from "./config.js";

/** Enters the mount; without a remote, what is here of its version stays here. Where the cache does not work, it is served without. */
export function holdCache(
  workspace: Workspace,
  { mountpoint, shown, options }: DaemonConfig,
  found: FoundVersion | undefined,
  log: Log,
): Holder | undefined {
  const reference = nameOfShown(shown ?? { dataset: null, version: null });
  try {
    const housekeeping = workspace.housekeeping();
    const holder = housekeeping.hold({ use: "mount", mountpoint, ...holderFacts(reference) });
    if (options.pin !== undefined) housekeeping.pins.pass(options.pin, holder.id);
    if (options.offline && found) void pinAll(workspace, found, holder, log);
    return holder;
  } catch (error) {
    log.warn("cache not held", { problem: messageOf(error) });
    return undefined;
  }
}

async function pinAll(workspace: Workspace, found: FoundVersion, { id }: Holder, log: Log): Promise<void> {
  try {
    await pinLocal(workspace, found, id);
  } catch (error) {
    log.warn("not all that is in the cache stays there", { problem: messageOf(error) });
  }
}
