/** `varve prefetch`: content into the cache before it is needed. */
import { type PathOptions, type Warmed, prefetchVersion } from "../../dataset/cached-content.js";
import { locateVersion } from "../../dataset/remote-reference.js";
import { type Cli, type Context, run } from "../context.js";
import { formatBytes, formatCountOf, printable } from "../format.js";
import { startProgress } from "../progress.js";

export function addPrefetchCommand(cli: Cli): void {
  cli.command(
    "prefetch <reference> [paths..]",
    "Fetch a version, or some paths of it, into the cache",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "PROJECT/NAME[@LABEL] or id",
        })
        .positional("paths", { type: "string", array: true, describe: "Files and folders (default: all)" })
        .example("$0 prefetch vision/cifar10@1.2.0", "what is there is not fetched again")
        .example("$0 prefetch vision/cifar10 train", "one folder of the latest version"),
    (args) =>
      run(args, async (context) => {
        const { workspace, output, json } = context;
        const { found } = await locateVersion(workspace, args.reference);
        const warmed = await warming(context, "Fetching", (options) =>
          prefetchVersion(workspace, found, { ...options, paths: pathsOf(args.paths) }),
        );
        if (json) output.json(warmed);
        else output.data(warmedLine(warmed));
      }),
  );
}

/** None given means all. */
export function pathsOf(paths: readonly string[] | undefined): readonly string[] | undefined {
  return paths && paths.length > 0 ? paths : undefined;
}

/** Runs what warms the cache, with a progress bar. */
export async function warming<T>(
  { signal }: Pick<Context, "signal">,
  label: string,
  work: (options: PathOptions) => Promise<T>,
): Promise<T> {
  const bar = startProgress({ label, of: "bytes" });
  let done = 0;
  const onProgress: PathOptions["onProgress"] = ({ bytes, totalBytes }) => {
    bar.setTotal(totalBytes);
    bar.advance(bytes - done);
    done = bytes;
  };
  return work({ signal, onProgress }).finally(() => bar.stop());
}

/** `lab/data@1.0.0 train: 1.2 GiB in the cache, 300 MiB fetched in 75 requests`. */
export function warmedLine({ reference, paths, bytes, fetchedBytes, requests }: Warmed): string {
  const fetched =
    requests === 0
      ? "nothing to fetch"
      : `${formatBytes(fetchedBytes)} fetched in ${formatCountOf(requests, "request")}`;
  return `${nameOfPinned(reference, paths)}: ${formatBytes(bytes)} in the cache, ${fetched}`;
}

/** `lab/data@1.0.0 train`. */
export function nameOfPinned(reference: string, paths: readonly string[]): string {
  return [reference, ...paths.filter((path) => path !== "").map(printable)].join(" ");
}
