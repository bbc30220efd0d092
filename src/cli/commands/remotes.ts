/** `varve remote`: names for remotes, and where they lie. */
import type { Argv } from "yargs";
import type { RemoteRow } from "../../catalog/catalog.js";
import { addRemote, moveRemote, removeRemote } from "../../dataset/remotes.js";
import { type Cli, type Context, type GlobalOptions, run } from "../context.js";
import { renderTable } from "../table.js";

export function addRemoteCommands(cli: Cli): void {
  cli.command("remote", "Name remotes, list them, tell where one has moved", (yargs) => {
    for (const command of [add, list, set, remove]) command(yargs);
    return yargs.demandCommand(1, "Say what to do: add, list, set or remove");
  });
}

type RemoteCli = Argv<GlobalOptions>;

function add(cli: RemoteCli): void {
  cli.command(
    "add <name> <url>",
    "Name a remote, to be given wherever its URL could be",
    (yargs) =>
      named(yargs)
        .positional("url", { type: "string", demandOption: true, describe: "URL or absolute path" })
        .example("$0 remote add lab s3://my-bucket/datasets", "varve sync … --remote lab"),
    (args) =>
      run(args, async (context) => {
        const row = await addRemote(context.workspace, args.name, args.url);
        print(context, row, `${row.name} is ${row.url}`);
      }),
  );
}

function list(cli: RemoteCli): void {
  cli.command(
    ["list", "ls"],
    "List the remotes of the catalog, named or not",
    (yargs) => yargs.example("$0 remote list", "names, URLs and ids"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const rows = await (await workspace.catalog()).listRemotes();
        if (json) {
          output.json(rows.map(jsonOf));
          return;
        }
        const columns = [{ title: "name" }, { title: "url" }, { title: "id" }];
        const cells = rows.map(({ name, url, id }) => [name ?? "-", url, id]);
        output.data(renderTable(columns, cells));
      }),
  );
}

function set(cli: RemoteCli): void {
  cli.command(
    "set <name> <url>",
    "Tell where a remote lies now, after it was moved",
    (yargs) =>
      named(yargs)
        .positional("url", { type: "string", demandOption: true, describe: "Its new URL or absolute path" })
        .example("$0 remote set lab s3://new-bucket/datasets", "all versions in it are read from there"),
    (args) =>
      run(args, async (context) => {
        const row = await moveRemote(context.workspace, args.name, args.url);
        print(context, row, `${row.name ?? row.id} is ${row.url}`);
      }),
  );
}

function remove(cli: RemoteCli): void {
  cli.command(
    "remove <name>",
    "Forget a remote that no version needs; nothing in it changes",
    (yargs) => named(yargs).example("$0 remote remove lab", "the catalog knows it no more"),
    (args) =>
      run(args, async (context) => {
        const row = await removeRemote(context.workspace, args.name);
        print(context, row, `${row.url} is forgotten`);
      }),
  );
}

function named<T>(yargs: Argv<T>) {
  const describe = "Name of a remote; for set and remove also its id or URL";
  return yargs.positional("name", { type: "string", demandOption: true, describe });
}

function print({ output, json }: Context, row: RemoteRow, words: string): void {
  if (json) output.json(jsonOf(row));
  else output.data(words);
}

function jsonOf({ name, url, id }: RemoteRow): RemoteRow {
  return { name, url, id };
}
