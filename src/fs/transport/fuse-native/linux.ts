/** A mount of this transport as Linux keeps it: whether it is there, and taking it away. */
import { startGuardian } from "../kernel/guardian.js";
import { checkMountpoint } from "../kernel/mountpoint.js";
import { type MountRecord, findMount, isOnTop } from "../kernel/mounts.js";
import { unmountKernel } from "../kernel/unmount.js";
import type { Mounted, Platform } from "./platform.js";

export const linux: Platform = {
  checkMountpoint,
  mounted: async (path) => {
    const record = findMount(path);
    return record && mountedAs(record);
  },
};

function mountedAs(record: MountRecord): Mounted {
  const guardian = startGuardian(record);
  return {
    isThere: async () => isOnTop(record),
    takeAway: (options) => unmountKernel(record, options),
    gone: () => guardian.dismiss(),
  };
}
