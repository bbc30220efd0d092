/** `varve metrics`: what a mount counts, as Prometheus reads it. */
import { askMount } from "../../daemon/client.js";
import { type Cli, run } from "../context.js";

export function addMetricsCommand(cli: Cli): void {
  cli.command(
    "metrics <directory>",
    "Print what a mount counts, in the text format of Prometheus",
    (yargs) =>
      yargs
        .positional("directory", { type: "string", demandOption: true, describe: "The mount's folder" })
        .example("$0 metrics /data > /var/lib/node_exporter/varve.prom", "for the textfile collector")
        .example("$0 mount vision/cifar10 /data --metrics 9464", "or on a port: curl localhost:9464/metrics"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const ask = (operation: "figures" | "metrics") =>
          askMount(workspace.home, args.directory, { operation, arguments: {} });
        if (json) output.json(await ask("figures"));
        else output.data(((await ask("metrics")) as { text: string }).text.trimEnd());
      }),
  );
}
