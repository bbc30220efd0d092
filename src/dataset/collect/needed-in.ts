/** Everything that a remote is needed for at one time. */
import type { ObjectKey } from "../../remote/remote.js";
import type { OpenedRemote, Workspace } from "../workspace.js";
import { type Lease, leasesIn } from "./leases.js";
import { Needed, type NeededOptions } from "./needed.js";
import { referrersOf } from "./referrers.js";

/**
 * Leases first: one that ends meanwhile has left a record, which is read after.
 *
 * @param options.nowMs By the store's clock: leases that have run out by then do not count.
 * @throws {DatasetError} where anything cannot be read that may need something
 */
export async function neededIn(
  workspace: Workspace,
  opened: OpenedRemote,
  { nowMs, ...options }: { nowMs: number } & NeededOptions,
): Promise<{ keys: ReadonlySet<ObjectKey>; leases: Lease[]; versions: number }> {
  const needed = new Needed(workspace, opened.id, options);
  const leases = (await leasesIn(opened.remote)).filter(({ untilMs }) => untilMs > nowMs);
  let versions = 0;
  const referrers = await referrersOf(workspace, opened);
  // Of another store nobody knows the time here: all its leases count.
  for (const { remote } of referrers) await needed.addLeases(await leasesIn(remote));
  await needed.addLeases(leases);
  for (const each of [...referrers, opened]) versions += await needed.addVersionsIn(each);
  return { keys: needed.keys, leases, versions };
}
