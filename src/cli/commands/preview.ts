/** `varve preview`: what was reported of a version, listed or as files. */
import { Dataset } from "../../dataset/dataset.js";
import type { Report } from "../../dataset/reports/report.js";
import { shownReport } from "../../dataset/reports/export.js";
import { type Cli, run } from "../context.js";
import { formatBytes, formatCountOf, printable } from "../format.js";
import { renderTable } from "../table.js";

export function addPreviewCommand(cli: Cli): void {
  cli.command(
    "preview <reference>",
    "Show what was reported of a version: tables, plots, pictures, sound, text",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "[REMOTE#]PROJECT/NAME[@LABEL] or id",
        })
        .option("export", { type: "string", requiresArg: true, describe: "Folder to write it all to" })
        .example("$0 preview vision/cifar10", "what there is")
        .example("$0 preview vision/cifar10@1.2.0 --export out", "tables as CSV, media as files, index.json"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const dataset = await Dataset.get(args.reference, { onlyCompleted: false, workspace });
        const { export: folder } = args;
        if (folder === undefined) {
          const reports = await dataset.listReports();
          if (json) output.json(reports.map(shownReport));
          else if (reports.length > 0) output.data(listing(reports));
          else output.say(`Nothing was reported of ${dataset.reference}`);
        } else {
          const exported = await dataset.exportReports(folder);
          if (json) output.json(exported);
          else output.data(`${formatCountOf(exported.length, "report")} written to ${folder}`);
        }
        dataset.close();
      }),
  );
}

function listing(reports: readonly Report[]): string {
  const columns = [
    { title: "kind" },
    { title: "title", shrinks: true },
    { title: "series", shrinks: true },
    { title: "iteration", align: "right" as const },
    { title: "type" },
    { title: "size", align: "right" as const },
    { title: "from" },
  ];
  const rows = reports.map(({ kind, title, series, iteration, type, bytes, source, problem }) => [
    kind,
    printable(title),
    printable(series),
    String(iteration),
    problem === undefined ? type : `(${printable(problem)})`,
    formatBytes(bytes),
    source === undefined ? "reported" : "file",
  ]);
  return renderTable(columns, rows);
}
