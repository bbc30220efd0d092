/**
 * The points at which a process writes, and what is made to happen at one of them. The calls themselves are caught by
 * `failing-writes.c`, which says what counts as a point and how one is told.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { BUNDLE_OPTIONS } from "../../scripts/bundle-options.js";

const SOURCE = new URL("../../../test/crash/failing-writes.c", import.meta.url).pathname;
const PROCESS = new URL("./operation-process.js", import.meta.url).pathname;

/**
 * What happens at a point. The call fails: `fail` once, with ENOSPC or EIO; `full` with ENOSPC, and so does all that needs
 * room from then on; `short` writes half and says so. Or the process dies by SIGKILL, before, during or after it.
 */
export const HOWS = ["fail", "full", "short", "before", "during", "after"] as const;
export type How = (typeof HOWS)[number];

/** A line: what is written, where, and how often that came before, parted by tabs. */
export type Point = string;

export interface Injection {
  point: Point;
  how: How;
}

/** What there is to try at each point. Half of it can be done of a write only; what needs no room fits on a full disk. */
export function injectionsAt(point: Point): Injection[] {
  const kind = point.slice(0, point.indexOf("\t"));
  const hows = HOWS.filter((how) => {
    if (how === "short") return kind === "write";
    if (how === "during") return kind === "write" || kind === "commit";
    return how !== "full" || !["sync", "rename", "unlink", "rmdir", "chmod", "truncate"].includes(kind);
  });
  return hows.map((how) => ({ point, how }));
}

export function isKill(how: How): boolean {
  return how === "before" || how === "during" || how === "after";
}

/** What is built to inject failures, in a folder beside this file, since packages are found from there. */
export interface Tools {
  /** Is preloaded, and catches the calls. */
  library: string;
  /** `operation-process.ts` in few files: it starts in a third of the time. */
  process: string;
  remove: () => void;
}

export async function buildTools(): Promise<Tools> {
  const folder = mkdtempSync(new URL("./tools-", import.meta.url).pathname);
  const library = join(folder, "failing-writes.so");
  execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl"]);
  await build({ ...BUNDLE_OPTIONS, entryPoints: [PROCESS], outdir: folder, sourcemap: false });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { library, process: join(folder, "operation-process.js"), remove };
}

/** Catches the calls of one process at a time. */
export class Catcher {
  readonly #trace: string;

  /**
   * @param library Of `buildTools`.
   * @param root The folder below which writes are points.
   * @param scratch Another, for what is said of them.
   */
  constructor(
    private readonly library: string,
    private readonly root: string,
    scratch: string,
  ) {
    this.#trace = join(scratch, "points");
  }

  /**
   * The environment for the next process, and those it starts.
   *
   * @param program Which of them, by a word of its command line.
   * @param injection Default: all points are listed, and nothing happens.
   */
  environment(program: string, injection?: Injection): Record<string, string> {
    rmSync(this.#trace, { force: true });
    return {
      LD_PRELOAD: this.library,
      UV_USE_IO_URING: "0", // Its writes are made by the kernel, and by no call.
      VARVE_CRASH_ROOT: this.root,
      VARVE_CRASH_PROGRAM: program,
      VARVE_CRASH_TRACE: this.#trace,
      ...(injection && { VARVE_CRASH_POINT: injection.point, VARVE_CRASH_HOW: injection.how }),
    };
  }

  /** The points of the process that has ended: all of them, or the one that it was to reach, if it did. */
  reached(): Point[] {
    return readFileSync(this.#trace, "utf8").split("\n").slice(0, -1);
  }
}
