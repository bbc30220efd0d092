/** What time it is by a store's own clock: ages of objects are differences of its times alone. */
import type { Remote } from "../../remote/remote.js";
import { COLLECTIONS_PREFIX } from "./collection.js";

/** Unix ms, as the store dates an object that is put now: the first of collection `id`. Two requests. */
export async function storeTimeMs(remote: Remote, id: string): Promise<number> {
  const key = `${COLLECTIONS_PREFIX}${id}/begun`;
  await remote.put(key, Buffer.from("{}"));
  const info = await remote.stat(key);
  return info?.modifiedMs ?? 0; // Who is not told the time finds nothing old enough.
}
