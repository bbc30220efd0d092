/**
 * The commands of `varve`, as yargs knows them. Each stands in `commands/`, and is loaded when it is the one that is asked
 * for, or when all are told of; running them, and what then fails, is `cli.ts`'s.
 */
import yargs from "yargs";
import { unmark } from "./after-dashes.js";
import { type Cli, withGlobalOptions } from "./context.js";

const EPILOGUE = `Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict, 5 left uncommitted (varve recover),
6 not trusted (varve key).
A reference is PROJECT/NAME@LABEL, PROJECT/NAME for the latest version, or a version id;
REMOTE#PROJECT/NAME@LABEL is read from that remote (a URL, path or name) without a catalog.`;

type Add = (cli: Cli) => void;

interface Commands {
  /** What stands first after `varve`, other names of a command included. */
  words: readonly string[];
  load: () => Promise<Add>;
}

/** In the order that help tells them in. */
const COMMANDS: readonly Commands[] = [
  {
    words: ["create", "add", "remove", "upload", "finalize", "close", "sync"],
    load: async () => (await import("./commands/drafts.js")).addDraftCommands,
  },
  { words: ["squash"], load: async () => (await import("./commands/squash.js")).addSquashCommand },
  {
    words: ["versions", "log", "ls", "cat", "diff"],
    load: async () => (await import("./commands/versions.js")).addVersionCommands,
  },
  {
    words: ["compare", "overridden"],
    load: async () => (await import("./commands/compare.js")).addCompareCommands,
  },
  { words: ["list", "search"], load: async () => (await import("./commands/search.js")).addSearchCommands },
  { words: ["job", "used-by"], load: async () => (await import("./commands/jobs.js")).addJobCommands },
  { words: ["import"], load: async () => (await import("./commands/import.js")).addImportCommand },
  { words: ["get"], load: async () => (await import("./commands/get.js")).addGetCommand },
  { words: ["verify"], load: async () => (await import("./commands/verify.js")).addVerifyCommand },
  { words: ["metadata"], load: async () => (await import("./commands/metadata.js")).addMetadataCommand },
  {
    words: ["publish", "archive", "unarchive", "tag", "set-description"],
    load: async () => (await import("./commands/annotate.js")).addAnnotateCommands,
  },
  {
    words: ["rename", "move", "delete"],
    load: async () => (await import("./commands/datasets.js")).addDatasetCommands,
  },
  { words: ["watch"], load: async () => (await import("./commands/watch.js")).addWatchCommand },
  { words: ["query"], load: async () => (await import("./commands/query.js")).addQueryCommand },
  { words: ["preview"], load: async () => (await import("./commands/preview.js")).addPreviewCommand },
  { words: ["mount"], load: async () => (await import("./commands/mount.js")).addMountCommand },
  {
    words: ["unmount", "umount", "status", "commit", "discard"],
    load: async () => (await import("./commands/mounts.js")).addMountCommands,
  },
  { words: ["logs"], load: async () => (await import("./commands/logs.js")).addLogsCommand },
  { words: ["metrics"], load: async () => (await import("./commands/metrics.js")).addMetricsCommand },
  { words: ["recover"], load: async () => (await import("./commands/recover.js")).addRecoverCommand },
  { words: ["remote"], load: async () => (await import("./commands/remotes.js")).addRemoteCommands },
  { words: ["key"], load: async () => (await import("./commands/keys.js")).addKeyCommands },
  { words: ["catalog"], load: async () => (await import("./commands/catalog.js")).addCatalogCommand },
  { words: ["prefetch"], load: async () => (await import("./commands/prefetch.js")).addPrefetchCommand },
  { words: ["cache"], load: async () => (await import("./commands/cache.js")).addCacheCommand },
  { words: ["gc"], load: async () => (await import("./commands/gc.js")).addGcCommand },
  { words: ["fsck"], load: async () => (await import("./commands/fsck.js")).addFsckCommand },
  { words: ["copies"], load: async () => (await import("./commands/copies.js")).addCopiesCommand },
  { words: ["doctor"], load: async () => (await import("./commands/doctor.js")).addDoctorCommand },
  { words: ["completion"], load: async () => (await import("./completion.js")).addCompletion },
];

/**
 * The program for these words after `varve`: with the commands that these may mean, else with all there are.
 *
 * @param options.columns Width of what help prints.
 */
export async function programOf(
  args: readonly string[],
  { columns = 100 }: { columns?: number } = {},
): Promise<Cli> {
  const base = withGlobalOptions(yargs([...args]).scriptName("varve"));
  for (const add of await commandsFor(args)) add(base);
  return (
    base
      .usage(
        "$0 COMMAND\n\nMount any version of a dataset as a folder; unmounting a writable mount makes the next version.",
      )
      // `--version LABEL` belongs to commands; alone it asks for the version of varve, which `cli.ts` answers.
      .version(false)
      .parserConfiguration({
        "parse-numbers": false,
        "parse-positional-numbers": false,
        "greedy-arrays": false,
      })
      .middleware(unmark, true)
      .demandCommand(1, "Say what to do; varve --help lists the commands")
      .recommendCommands()
      .strict()
      .epilogue(EPILOGUE)
      .wrap(columns)
  );
}

/** Of commands that the words may mean; all, where the first word is no command. One too many does no harm. */
function commandsFor(args: readonly string[]): Promise<Add[]> {
  const [first = ""] = args;
  const meant = COMMANDS.filter(({ words }) => words.some((word) => args.includes(word)));
  const isKnown = first.startsWith("-") || meant.some(({ words }) => words.includes(first));
  return Promise.all((isKnown && meant.length > 0 ? meant : COMMANDS).map(({ load }) => load()));
}
