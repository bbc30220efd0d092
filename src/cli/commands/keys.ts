/** `varve key`: keys that sign versions, and whom to trust. */
import type { Argv } from "yargs";
import { locateVersion } from "../../dataset/remote-reference.js";
import { nameOfVersion } from "../../dataset/history.js";
import {
  createKey,
  distrustKey,
  ownKeys,
  publicKeysOf,
  signingKey,
  trustKey,
  trustedKeys,
} from "../../dataset/signing/key-files.js";
import { type PublicKey, textOfKey } from "../../dataset/signing/keys.js";
import { type ToldSignature, addSignature, toldSignatures } from "../../dataset/signing/signatures.js";
import { rootBlockOf } from "../../dataset/version-tree.js";
import { type Cli, type Context, type GlobalOptions, run } from "../context.js";
import { ExitCode } from "../exit-codes.js";
import { printable } from "../format.js";
import { renderTable } from "../table.js";

export function addKeyCommands(cli: Cli): void {
  cli.command("key", "Keys that sign versions, and whose versions are read", (yargs) => {
    for (const command of [create, show, list, trust, distrust, sign, check]) command(yargs);
    return yargs.demandCommand(1, "Say what to do: create, show, list, trust, distrust, sign or check");
  });
}

type KeyCli = Argv<GlobalOptions>;

function create(cli: KeyCli): void {
  cli.command(
    "create <name>",
    "Make a key of your own; VARVE_SIGNING_KEY=NAME signs what you make from then on",
    (yargs) =>
      named(yargs).example(
        "$0 key create release",
        "its secret half stays on this machine, encrypted with VARVE_SIGNING_PASSPHRASE where that is set",
      ),
    (args) =>
      run(args, async (context) => {
        print(context, createKey(context.workspace.home, args.name));
      }),
  );
}

function show(cli: KeyCli): void {
  cli.command(
    "show <name>",
    "Print the public half of a key, for those who are to trust it",
    (yargs) => named(yargs).example("$0 key show release > release.pub", "a file for --verify-key"),
    (args) =>
      run(args, async (context) => {
        for (const key of publicKeysOf(context.workspace.home, args.name)) print(context, key);
      }),
  );
}

function list(cli: KeyCli): void {
  cli.command(
    ["list", "ls"],
    "List your keys and those you trust",
    (yargs) => yargs.example("$0 key list", "names, ids, and what they are for"),
    (args) =>
      run(args, async ({ workspace: { home }, output, json }) => {
        const signs = signingKey(home)?.publicKey.base64;
        const rows = [
          ...ownKeys(home).map((key) => ({ key, use: key.base64 === signs ? "signs" : "own", datasets: [] })),
          ...trustedKeys(home).map(({ key, datasets }) => ({ key, use: "trusted", datasets })),
        ];
        if (json) {
          output.json(rows.map(({ key, use, datasets }) => ({ ...jsonOf(key), use, datasets })));
          return;
        }
        const columns = [{ title: "name" }, { title: "id" }, { title: "use" }, { title: "datasets" }];
        const cells = rows.map(({ key, use, datasets }) => [
          printable(key.name || "-"),
          key.id,
          use,
          use === "trusted" ? printable(datasets.join(" ") || "all") : "-",
        ]);
        output.data(renderTable(columns, cells));
      }),
  );
}

function trust(cli: KeyCli): void {
  cli.command(
    "trust <key>",
    "From now on read only versions that this key has signed, or another you trust for them",
    (yargs) =>
      given(yargs)
        .option("for", {
          type: "string",
          array: true,
          requiresArg: true,
          describe: "Datasets it must sign, e.g. 'vision/*' (again for more; default: all)",
        })
        .example("$0 key trust release.pub --for 'vision/*'", "others need no signature"),
    (args) =>
      run(args, async (context) => {
        const { home } = context.workspace;
        for (const key of publicKeysOf(home, args.key)) {
          trustKey(home, key, args.for ?? []);
          print(context, key);
        }
      }),
  );
}

function distrust(cli: KeyCli): void {
  cli.command(
    "distrust <key>",
    "Ask for this key no more",
    (yargs) => given(yargs).example("$0 key distrust release.pub", "versions need its signature no more"),
    (args) =>
      run(args, async (context) => {
        const { home } = context.workspace;
        for (const key of publicKeysOf(home, args.key)) {
          if (!distrustKey(home, key)) context.output.say(`${key.name || key.id} was not trusted`);
          print(context, key);
        }
      }),
  );
}

function sign(cli: KeyCli): void {
  cli.command(
    "sign <reference>",
    "Sign a version that exists, with the key of VARVE_SIGNING_KEY",
    (yargs) =>
      referenced(yargs).example("$0 key sign vision/cifar10@1.2.0", "also after its dataset was renamed"),
    (args) =>
      run(args, async (context) => {
        const { workspace, found } = await locateVersion(context.workspace, args.reference);
        const root = await (await workspace.cache()).read(rootBlockOf(found.version));
        print(context, await addSignature(workspace, found.dataset, found.version, root));
      }),
  );
}

function check(cli: KeyCli): void {
  cli.command(
    "check <reference>",
    `Tell who signed a version, and whether it is what was signed; exit code ${ExitCode.untrusted} unless somebody did and it is`,
    (yargs) => referenced(yargs).example("$0 key check vision/cifar10@1.2.0", "every signature it has"),
    (args) =>
      run(args, async ({ workspace: asking, output, json }) => {
        const { workspace, found } = await locateVersion(asking, args.reference);
        const signatures = await toldSignatures(workspace, found.dataset, found.version);
        if (json) output.json({ version: nameOfVersion(found), signatures });
        else output.data(signatures.length > 0 ? signatures.map(lineOf).join("\n") : "not signed");
        if (!signatures.some(({ differs }) => differs.length === 0)) process.exitCode = ExitCode.untrusted;
      }),
  );
}

function named<T>(yargs: Argv<T>) {
  return yargs.positional("name", { type: "string", demandOption: true, describe: "Name of the key" });
}

function given<T>(yargs: Argv<T>) {
  const describe = '"varve-ed25519 …", the name of a key of yours, or the path of a file of keys';
  return yargs.positional("key", { type: "string", demandOption: true, describe });
}

function referenced<T>(yargs: Argv<T>) {
  const describe = "[REMOTE#]PROJECT/NAME[@LABEL] or id";
  return yargs.positional("reference", { type: "string", demandOption: true, describe });
}

function print({ output, json }: Context, key: PublicKey): void {
  if (json) output.json(jsonOf(key));
  else output.data(textOfKey(key));
}

function jsonOf(key: PublicKey): { name: string; id: string; key: string } {
  return { name: key.name, id: key.id, key: textOfKey(key) };
}

function lineOf({ key, name, differs }: ToldSignature): string {
  const by = name === undefined ? key : `${printable(name)} (${key})`;
  return differs.length === 0
    ? `signed by ${by}`
    : `signed by ${by} as another: ${differs.join(", ")} differ`;
}
