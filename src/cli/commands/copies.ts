/** `varve copies`: the read-only copies that `varve get` has made, and taking them away. */
import { type ListedCopy, dropCopy, listCopies, takenBytes } from "../../dataset/copies/copies-area.js";
import { locateVersion } from "../../dataset/remote-reference.js";
import { type Cli, run } from "../context.js";
import { formatBytes, formatCountOf, formatTime } from "../format.js";
import { renderTable } from "../table.js";

export function addCopiesCommand(cli: Cli): void {
  cli.command(
    "copies",
    "Show the folders of files that varve get keeps; clear removes them",
    (yargs) => {
      clear(yargs);
      return yargs
        .example("$0 copies", "each with its path, its size and who uses it")
        .example("$0 copies clear", "remove those that nobody uses");
    },
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const copies = listCopies(workspace.home);
        const { copiesBytes: maxBytes } = workspace.home;
        const bytes = copies.reduce((sum, copy) => sum + takenBytes(copy), 0);
        if (json) output.json({ bytes, maxBytes, copies });
        else if (copies.length === 0) output.data("There are no copies");
        else {
          output.data(renderTable(COLUMNS, copies.map(cellsOf), { widthColumns: output.widthColumns }));
          output.say(`About ${formatBytes(bytes)} of ${formatBytes(maxBytes)} (VARVE_COPIES_SIZE)`);
        }
      }),
  );
}

function clear(cli: Cli): void {
  cli.command(
    "clear [reference]",
    "Remove the copies that nobody uses, or those of one version",
    (yargs) =>
      yargs
        .positional("reference", { type: "string", describe: "PROJECT/NAME[@LABEL] or id" })
        .example("$0 copies clear vision/cifar10@1.2.0", "every copy of that version, whole or in part"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const { reference } = args;
        const id = reference && (await locateVersion(workspace, reference)).found.version.id;
        const asked = listCopies(workspace.home).filter((copy) => id === undefined || copy.id === id);
        const removed = asked.filter(({ key }) => dropCopy(workspace.home, key));
        const bytes = removed.reduce((sum, copy) => sum + takenBytes(copy), 0);
        const inUse = asked.length - removed.length;
        if (json) output.json({ copies: removed.length, bytes, inUse });
        else {
          const left = inUse > 0 ? `; ${formatCountOf(inUse, "copy is", "copies are")} in use and stay` : "";
          output.data(
            `Removed ${formatCountOf(removed.length, "copy", "copies")}, about ${formatBytes(bytes)}${left}`,
          );
        }
      }),
  );
}

const COLUMNS = [
  { title: "version" },
  { title: "files", align: "right" as const },
  { title: "size", align: "right" as const },
  { title: "state" },
  { title: "used" },
  { title: "by", shrinks: true },
  { title: "path" },
];

function cellsOf({ reference, files, bytes, state, usedAtMs, pids, path }: ListedCopy): string[] {
  const by = pids.length > 0 ? pids.join(", ") : "-";
  return [reference, String(files), formatBytes(bytes), state, formatTime(usedAtMs), by, path];
}
