/** `varve job` and `varve used-by`: what used which version, and what a job is to use when it runs again. */
import { Job, type JobUse } from "../../dataset/job.js";
import { locateVersion } from "../../dataset/remote-reference.js";
import { type UsedBy, usedBy } from "../../dataset/used-by.js";
import { type Cli, type Context, run } from "../context.js";
import { formatTime, printable } from "../format.js";
import { renderFacts, renderTable } from "../table.js";

export function addJobCommands(cli: Cli): void {
  cli.command("job", "Jobs: what called varve, and the versions it used", (yargs) => {
    for (const command of [list, show, set, unset]) command(yargs);
    return yargs.demandCommand(1, "Say what to do with jobs: list, show, set or unset");
  });
  addUsedBy(cli);
}

function list(cli: Cli): void {
  cli.command(
    "list",
    "List jobs, the one that started last first",
    (yargs) =>
      yargs
        .option("limit", { type: "number", requiresArg: true, default: 100, describe: "Most lines" })
        .example("$0 job list --limit 10", "the last ten"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const jobs = await Job.list({ limit: args.limit, workspace });
        if (json) output.json(jobs.map(jobJson));
        else if (jobs.length === 0) output.say("No job has used a version under an alias yet");
        else {
          const columns = [
            { title: "job" },
            { title: "name" },
            { title: "started" },
            { title: "host" },
            { title: "command", shrinks: true },
          ];
          const cells = jobs.map((job) =>
            [job.id, job.name, formatTime(job.startedAtMs), job.host, job.command].map(printable),
          );
          output.data(
            renderTable(columns, cells, { widthColumns: output.widthColumns, style: output.style.data }),
          );
        }
      }),
  );
}

function show(cli: Cli): void {
  cli.command(
    "show <job>",
    "Show a job: its parameters and the versions it used",
    (yargs) => jobPositional(yargs).example("$0 job show 4711", "the job that ran with VARVE_JOB_ID=4711"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const job = await Job.get(args.job, { workspace });
        const [parameters, uses] = [await job.parameters(), await job.uses()];
        if (json) output.json({ ...jobJson(job), parameters, uses: uses.map(useJson) });
        else printJob(output, job, parameters, uses);
      }),
  );
}

function set(cli: Cli): void {
  cli.command(
    "set <job> <parameter> <value>",
    "Set a parameter of a job; Datasets/ALIAS says which version it uses when it runs again",
    (yargs) =>
      jobPositional(yargs)
        .positional("parameter", { type: "string", demandOption: true, describe: "Its name" })
        .positional("value", { type: "string", demandOption: true, describe: "Text, or a reference" })
        .example("$0 job set 4711 Datasets/training vision/pets@1.1.0", "for an overridable alias")
        .example("$0 job set 4711 rate 0.01", "anything else"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const job = await Job.get(args.job, { workspace });
        await job.setParameters({ [args.parameter]: args.value });
        if (json) output.json({ id: job.id, parameters: await job.parameters() });
        else output.data(`${printable(job.id)}  ${printable(args.parameter)} = ${printable(args.value)}`);
      }),
  );
}

function unset(cli: Cli): void {
  cli.command(
    "unset <job> <parameter>",
    "Remove a parameter of a job",
    (yargs) =>
      jobPositional(yargs)
        .positional("parameter", { type: "string", demandOption: true, describe: "Its name" })
        .example("$0 job unset 4711 Datasets/training", "the job uses what it asks for again"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const job = await Job.get(args.job, { workspace });
        await job.removeParameter(args.parameter);
        if (json) output.json({ id: job.id, parameters: await job.parameters() });
        else output.data(`${printable(job.id)}  ${printable(args.parameter)} removed`);
      }),
  );
}

function addUsedBy(cli: Cli): void {
  cli.command(
    "used-by <reference>",
    "Show who needs a version: jobs that used it, and its children",
    (yargs) =>
      yargs
        .positional("reference", {
          type: "string",
          demandOption: true,
          describe: "[REMOTE#]PROJECT/NAME[@LABEL] or id",
        })
        .example("$0 used-by vision/cifar10@1.2.0", "as far as this catalog knows"),
    (args) =>
      run(args, async ({ workspace, output, json }) => {
        const { found } = await locateVersion(workspace, args.reference);
        const needed = await usedBy(workspace, found);
        if (json) output.json(needed);
        else printUsedBy(output, needed);
      }),
  );
}

function jobPositional(cli: Cli) {
  return cli.positional("job", { type: "string", demandOption: true, describe: "Its id" });
}

function jobJson({ id, name, command, host, startedBy, startedAtMs }: Job): Record<string, string> {
  return { id, name, command, host, startedBy, started: new Date(startedAtMs).toISOString() };
}

function useJson({ alias, versionId: id, reference, usedAtMs }: JobUse): Record<string, string> {
  return { alias, id, reference, used: new Date(usedAtMs).toISOString() };
}

function printJob(
  output: Context["output"],
  job: Job,
  parameters: Readonly<Record<string, string>>,
  uses: readonly JobUse[],
): void {
  const facts = Object.entries(jobJson(job));
  for (const [name, value] of Object.entries(parameters)) facts.push([name, value]);
  for (const { alias, reference, versionId, usedAtMs } of uses)
    facts.push([`used as ${alias}`, `${reference} (${versionId}), ${formatTime(usedAtMs)}`]);
  output.data(
    renderFacts(
      facts.map(([name, value]) => [printable(name), printable(value)] as const),
      output.style.data,
    ),
  );
}

function printUsedBy(output: Context["output"], { reference, jobs, children }: UsedBy): void {
  if (jobs.length + children.length === 0) output.say(`Nobody is known to use ${reference}`);
  for (const { id, name, alias, used, host } of jobs)
    output.data(printable(`job ${id}  ${name}  as ${alias}  ${used}  ${host}`));
  for (const { id, reference: child, state } of children)
    output.data(printable(`child ${child}  ${state}  ${id}`));
}
