/** `varve recover`: what mounts left uncommitted, and what can be done with it. */
import type { OverlayCommitOptions } from "../../dataset/commit-overlay.js";
import { nameOfShown } from "../../daemon/config.js";
import { findOverlay } from "../../dataset/overlays.js";
import {
  type Recoverable,
  recoverCommit,
  recoverDiscard,
  recoverExport,
  recoverMount,
  recoverable,
} from "../../dataset/recover.js";
import { DatasetError } from "../../errors.js";
import { type Cli, type Context, run } from "../context.js";
import { formatCount, formatCountOf } from "../format.js";
import { renderTable } from "../table.js";
import { uploadOptions, uploadOptionsOf, uploadProgress } from "../upload-options.js";
import { commitLine } from "./drafts.js";
import { warnOfLeftOut } from "./mounts.js";

export function addRecoverCommand(cli: Cli): void {
  cli.command(
    "recover [id]",
    "List, commit, mount, export or discard changes that a mount left uncommitted",
    (yargs) =>
      uploadOptions(yargs)
        .positional("id", { type: "string", describe: "An overlay (default: the only one)" })
        .option("commit", { type: "boolean", describe: "Commit it as a child version" })
        .option("mount", {
          type: "string",
          requiresArg: true,
          describe: "Mount it, writable, at this folder",
        })
        .option("export", {
          type: "string",
          requiresArg: true,
          describe: "Write its new and changed files into this folder",
        })
        .option("discard", { type: "boolean", describe: "Throw it away" })
        .option("message", {
          alias: "m",
          type: "string",
          requiresArg: true,
          describe: "Description of the child version",
        })
        .option("version", { type: "string", requiresArg: true, describe: "Its label (default: the next)" })
        .conflicts("commit", ["mount", "export", "discard"])
        .conflicts("mount", ["export", "discard"])
        .conflicts("export", "discard")
        .example("$0 recover", "list them")
        .example("$0 recover 3f2a --commit", "commit one"),
    (args) =>
      run(
        args,
        async (context) => {
          const acts = args.commit ?? args.discard ?? args.mount ?? args.export;
          if (!acts) await list(context, args.id);
          else if (args.commit)
            await commit(context, args.id, {
              message: args.message,
              version: args.version,
              ...uploadOptionsOf(args),
            });
          else if (args.mount !== undefined) await mount(context, args.id, args.mount);
          else if (args.export !== undefined) await exportTo(context, args.id, args.export);
          else await discard(context, args.id);
        },
        { hint: false },
      ),
  );
}

async function list({ workspace, output, json }: Context, id: string | undefined): Promise<void> {
  const found = (await recoverable(workspace)).filter(
    (overlay) => id === undefined || overlay.id.startsWith(id),
  );
  if (id !== undefined && found.length === 0) findOverlay(workspace.home, id);
  if (json) output.json(found);
  else if (found.length === 0) output.data("Nothing is uncommitted");
  else output.data(tableOf(found, output.widthColumns));
}

function tableOf(found: readonly Recoverable[], widthColumns: number | undefined): string {
  const columns = [
    { title: "id" },
    { title: "version" },
    { title: "was at" },
    { title: "changes", align: "right" as const },
    { title: "why", shrinks: true },
  ];
  const cells = found.map(({ id, dataset, version, mountpoint, changes, reason, pid }) => [
    id,
    `${dataset}@${version}`,
    mountpoint,
    changes === null ? "?" : formatCount(changes),
    reason ?? (pid === null ? "the mount's process died" : `files are open in process ${pid}'s mount`),
  ]);
  return renderTable(columns, cells, { widthColumns });
}

async function commit(
  context: Context,
  id: string | undefined,
  asked: Pick<OverlayCommitOptions, "message" | "version">,
): Promise<void> {
  const { workspace, output, json } = context;
  const overlay = await choose(context, id);
  const progress = uploadProgress("Committing");
  const { onProgress } = progress;
  const committed = await recoverCommit(workspace, overlay, { ...asked, onProgress }).finally(progress.stop);
  if (json) output.json({ committed: committed ?? null });
  else output.data(committed ? commitLine(committed) : "It changed nothing; nothing to commit");
  warnOfLeftOut(context, committed);
}

async function mount(context: Context, id: string | undefined, directory: string): Promise<void> {
  const { workspace, output, json } = context;
  const info = await recoverMount(workspace, await choose(context, id), directory);
  if (json) output.json(info);
  else output.data(`Mounted ${nameOfShown(info)} with the changes at ${info.mountpoint}, writable`);
}

async function exportTo(context: Context, id: string | undefined, folder: string): Promise<void> {
  const { workspace, output, json } = context;
  const files = await recoverExport(workspace, await choose(context, id), folder);
  if (json) output.json({ files, folder });
  else output.data(`${formatCountOf(files, "file")} written to ${folder}`);
}

async function discard(context: Context, id: string | undefined): Promise<void> {
  const overlay = await choose(context, id);
  recoverDiscard(context.workspace, overlay);
  if (context.json) context.output.json({ discarded: overlay.id });
  else context.output.data(`Discarded the changes of ${overlay.dataset}@${overlay.version}`);
}

/** The overlay meant; without an id the only one there is. */
async function choose({ workspace }: Context, id: string | undefined) {
  if (id !== undefined) return findOverlay(workspace.home, id);
  const found = await recoverable(workspace);
  const [only] = found;
  if (only && found.length === 1) return findOverlay(workspace.home, only.id);
  const what =
    found.length === 0
      ? "nothing is uncommitted"
      : `there are ${found.length}; name one of ${found.map((overlay) => overlay.id).join(", ")}`;
  throw new DatasetError("not-found", { what: "overlay" }, `Cannot tell what to recover: ${what}`);
}
