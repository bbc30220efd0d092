/** What differs between the systems this transport runs on. */
import type { UnmountOptions } from "../kernel/unmount.js";

/** One mount that was made. */
export interface Mounted {
  /** Whether it is still on its folder. */
  isThere(): Promise<boolean>;
  /** @throws {DatasetError} `mount-busy` */
  takeAway(options: UnmountOptions): Promise<void>;
  /** To be called once it is gone. */
  gone(): void;
}

export interface Platform {
  /** The folder's absolute path, without links. @throws {DatasetError} `mountpoint-unfit` */
  checkMountpoint(path: string): Promise<string>;
  /** The mount just made on a folder, or undefined when there is none. */
  mounted(path: string): Promise<Mounted | undefined>;
}

/** The platform of this process; the code of the other is not loaded, since it would not. */
export async function thisPlatform(): Promise<Platform> {
  return process.platform === "darwin"
    ? (await import("./macos.js")).macos
    : (await import("./linux.js")).linux;
}
