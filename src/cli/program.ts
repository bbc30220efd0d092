/** The commands of `varve`, as yargs knows them. Each stands in `commands/`; running them, and what then fails, is `cli.ts`'s. */
import yargs from "yargs";
import { addAnnotateCommands } from "./commands/annotate.js";
import { addCacheCommand } from "./commands/cache.js";
import { addCatalogCommand } from "./commands/catalog.js";
import { addCopiesCommand } from "./commands/copies.js";
import { addDatasetCommands } from "./commands/datasets.js";
import { addCompareCommands } from "./commands/compare.js";
import { addDoctorCommand } from "./commands/doctor.js";
import { addDraftCommands } from "./commands/drafts.js";
import { addGetCommand } from "./commands/get.js";
import { addMetadataCommand } from "./commands/metadata.js";
import { addImportCommand } from "./commands/import.js";
import { addJobCommands } from "./commands/jobs.js";
import { addMountCommands } from "./commands/mounts.js";
import { addPreviewCommand } from "./commands/preview.js";
import { addQueryCommand } from "./commands/query.js";
import { addPrefetchCommand } from "./commands/prefetch.js";
import { addRecoverCommand } from "./commands/recover.js";
import { addRemoteCommands } from "./commands/remotes.js";
import { addSearchCommands } from "./commands/search.js";
import { addSquashCommand } from "./commands/squash.js";
import { addVerifyCommand } from "./commands/verify.js";
import { addVersionCommands } from "./commands/versions.js";
import { addWatchCommand } from "./commands/watch.js";
import { addCompletion } from "./completion.js";
import { type Cli, withGlobalOptions } from "./context.js";

const EPILOGUE = `Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict, 5 left uncommitted (varve recover).
A reference is PROJECT/NAME@LABEL, PROJECT/NAME for the latest version, or a version id;
REMOTE#PROJECT/NAME@LABEL is read from that remote (a URL, path or name) without a catalog.`;

const commands = [
  addDraftCommands,
  addSquashCommand,
  addVersionCommands,
  addCompareCommands,
  addSearchCommands,
  addJobCommands,
  addImportCommand,
  addGetCommand,
  addVerifyCommand,
  addMetadataCommand,
  addAnnotateCommands,
  addDatasetCommands,
  addWatchCommand,
  addQueryCommand,
  addPreviewCommand,
  addMountCommands,
  addRecoverCommand,
  addRemoteCommands,
  addCatalogCommand,
  addPrefetchCommand,
  addCacheCommand,
  addCopiesCommand,
  addDoctorCommand,
];

/** @param args The words after `varve`. @param options.columns Width of what help prints. */
export function programOf(args: readonly string[], { columns = 100 }: { columns?: number } = {}): Cli {
  const base = withGlobalOptions(yargs([...args]).scriptName("varve"));
  for (const add of commands) add(base);
  addCompletion(base);
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
      .demandCommand(1, "Say what to do; varve --help lists the commands")
      .recommendCommands()
      .strict()
      .epilogue(EPILOGUE)
      .wrap(columns)
  );
}
