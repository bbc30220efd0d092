/** The job this process is part of: `VARVE_JOB_ID` says which, else it is one by itself. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { basename } from "node:path";
import type { JobRow } from "../catalog/catalog.js";
import { DatasetError } from "../errors.js";
import type { Workspace } from "./workspace.js";

const ID = /^[^\s\p{Cc}]{1,200}$/u;

/** As long as no id is given, all that one process does is one job. */
const OWN_ID = randomUUID().replaceAll("-", "");

/** The job of this process, entered in the catalog where it is not known yet. @throws {DatasetError} `bad-input` for `VARVE_JOB_ID` */
export async function currentJob(workspace: Workspace): Promise<JobRow> {
  const catalog = await workspace.catalog();
  return catalog.ensureJob({
    id: currentJobId(process.env),
    name: process.env["VARVE_JOB_NAME"] || basename(process.argv[1] ?? "node"),
    command: commandLine(process.argv.slice(1)),
    host: hostname(),
    startedBy: workspace.user,
    startedAtMs: Math.round(Date.now() - process.uptime() * 1000),
  });
}

/** @throws {DatasetError} `bad-input` */
export function currentJobId(env: Readonly<Record<string, string | undefined>>): string {
  const given = env["VARVE_JOB_ID"];
  if (!given) return OWN_ID;
  if (ID.test(given)) return given;
  const message = `Cannot take ${JSON.stringify(given.slice(0, 80))} as VARVE_JOB_ID: write up to 200 characters without spaces`;
  throw new DatasetError("bad-input", { value: given }, message);
}

/** Arguments as one line; what URLs hold of credentials, before the host or in the query, is left out. */
export function commandLine(args: readonly string[]): string {
  return args
    .map((arg) =>
      arg.replace(
        /([a-z][a-z0-9+.-]*:\/\/)(?:[^/@\s]*@)?([^?\s]*)(?:\?\S*)?/gi,
        (_, scheme: string, rest: string) => scheme + rest,
      ),
    )
    .map((arg) => (/^[\w@%+=:,./#-]+$/.test(arg) ? arg : JSON.stringify(arg)))
    .join(" ");
}
