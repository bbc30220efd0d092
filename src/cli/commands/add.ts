/** `varve add`: local files and links into a draft. */
import type { Argv } from "yargs";
import type { Dataset } from "../../dataset/dataset.js";
import { type StageCounts, addCounts, newCounts } from "../../dataset/stage-counts.js";
import { DatasetError } from "../../errors.js";
import { type Cli, type Context, run } from "../context.js";
import { draftOf, draftOption, walkOptions, walkOptionsOf, warnOfSkipped } from "../draft-options.js";
import { formatCountOf } from "../format.js";
import { startProgress } from "../progress.js";
import { workersOption } from "../upload-options.js";

export function addAddCommand(cli: Cli): void {
  cli.command(
    "add [paths..]",
    "Stage files or folders into a draft, or links to external ones",
    (yargs) => addOptions(yargs),
    (args) =>
      run(args, async ({ workspace, output, json, signal }) => {
        const asked = {
          ...args,
          paths: [...(args.paths ?? []), ...(args.files ?? [])],
          links: args.links ?? [],
        };
        check(asked);
        const draft = await draftOf(workspace, args.dataset);
        const counts = await stage(draft, asked, signal);
        if (json) output.json({ id: draft.id, ...counts });
        else output.data(`${countsText(counts)}; ${draft.reference}  ${draft.id}`);
        warnOfSkipped(output, counts);
        draft.close();
      }),
  );
}

function addOptions<T>(yargs: Argv<T>) {
  return workersOption(walkOptions(draftOption(yargs)))
    .positional("paths", {
      type: "string",
      array: true,
      describe: "Files, folders or wildcards; with --link URLs of them",
    })
    .option("as", {
      type: "string",
      requiresArg: true,
      describe: "Of a single file: its path inside the dataset, name included",
    })
    .option("local-base-folder", {
      type: "string",
      requiresArg: true,
      describe: "Local folder below which paths are kept in the dataset",
    })
    .option("link", {
      type: "boolean",
      describe: "Leave the bytes where they are, and read them from there",
    })
    .option("unpinned", {
      type: "boolean",
      describe: "With --link: take sources too of which a change would go unseen",
    })
    .option("hash", { type: "boolean", describe: "With --link: read all bytes once, and keep their SHA-256" })
    .option("files", { type: "string", array: true, requiresArg: true, hidden: true })
    .option("links", { type: "string", array: true, requiresArg: true, hidden: true })
    .example("$0 add images --to train", "the contents of images, below train/")
    .example("$0 add . --wildcard '*.jpg' --wildcard '*.png'", "only pictures")
    .example("$0 add '~/data/**/*.jpg'", "the pictures below ~/data, with their paths from there on")
    .example("$0 add new.csv --as tables/labels.csv", "one file under another name")
    .example("$0 add --link s3://bucket/images/ --to train", "what lies in a bucket, without a copy");
}

type Asked = Parameters<typeof walkOptionsOf>[0] & {
  paths: string[];
  links: string[];
  link?: boolean | undefined;
  unpinned?: boolean | undefined;
  hash?: boolean | undefined;
  as?: string | undefined;
  localBaseFolder?: string | undefined;
  maxWorkers?: number | undefined;
};

const URL_LIKE = /^[a-z][a-z0-9+.-]*:\/\//i;

/** URLs are not repeated: they may hold credentials. */
function check({ paths, links, link, unpinned, hash }: Asked): void {
  if (paths.length + links.length === 0)
    throw badInput("", "Cannot add: name files, folders or, with --link, URLs");
  if (!link && paths.some((path) => URL_LIKE.test(path)))
    throw badInput("URL", "Cannot add a URL as a file: --link puts it into the version without a copy");
  if ((unpinned || hash) && !link && links.length === 0)
    throw badInput("--unpinned, --hash", "Cannot add files so: --unpinned and --hash are for --link");
}

async function stage(draft: Dataset, asked: Asked, signal: Context["signal"]): Promise<StageCounts> {
  const { link, unpinned, hash, as, localBaseFolder, maxWorkers } = asked;
  const walk = walkOptionsOf(asked);
  const { to, wildcards, recursive } = walk;
  const files = link ? [] : asked.paths;
  const urls = link ? [...asked.paths, ...asked.links] : asked.links;
  const total = newCounts();
  const bar = startProgress({ label: "Reading", of: "files" });
  let seen = 0;
  const onProgress = (count: number) => {
    bar.advance(count - seen);
    seen = count;
  };
  try {
    const given = { ...walk, as, localBaseFolder, maxWorkers, signal, onProgress };
    if (files.length > 0) addCounts(total, await draft.addFiles(files, given));
    const linked = { to, wildcards, recursive, unpinned, hash, signal };
    if (urls.length > 0) addCounts(total, await draft.addExternalFiles(urls, linked));
  } finally {
    bar.stop();
  }
  return total;
}

function countsText({ added, modified, metadata, unchanged }: StageCounts): string {
  const rest = Object.entries({ metadata, unchanged }).filter(([, count]) => count > 0);
  const others = rest.map(([kind, count]) => `, ${count} ${kind}`).join("");
  return `${formatCountOf(added, "file")} added, ${modified} modified${others}`;
}

function badInput(value: string, message: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value }, message);
}
