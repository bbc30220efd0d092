/**
 * Loaded into a mount's process by `NODE_OPTIONS=--import`: a bug to be found. A change of mode that sets the sticky bit
 * is answered as if it had been made, and is not.
 */
import { Overlay } from "../../src/fs/overlay/overlay.js";

const STICKY = 0o1000;

// eslint-disable-next-line @typescript-eslint/unbound-method -- called with the overlay it was taken from
const original = Overlay.prototype.setattr;
Overlay.prototype.setattr = function (this: Overlay, ino, changes) {
  const { mode = 0, ...others } = changes;
  return original.call(this, ino, mode & STICKY ? others : changes);
};
