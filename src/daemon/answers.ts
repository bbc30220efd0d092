/** Answers what the file system of a mount asks of the catalog. */
import { catalogFolder } from "../dataset/catalog-folder.js";
import { type FoundVersion, findVersion, isFinished, nameOfVersion } from "../dataset/history.js";
import { type Descendant, ancestryOf, describeLineage } from "../dataset/lineage.js";
import { rootBlockOf } from "../dataset/version-tree.js";
import type { Workspace } from "../dataset/workspace.js";
import type { Answerer, Answers, Lineage, LineageVersion, Question } from "../fs/questions.js";
import { BackgroundRefresh } from "./background-refresh.js";

type Answering = {
  [About in Question["about"]]: (question: Question & { about: About }) => Promise<Answers[About]>;
};

/** @param shown The version that is mounted, where the user's catalog does not know it. */
export function answererOf(workspace: Workspace, shown?: FoundVersion): Answerer {
  const refresh = new BackgroundRefresh(workspace);
  const answering: Answering = {
    lineage: ({ version }) => lineageFacts(workspace, shown ?? version),
    folder: ({ path }) => catalogFolder(workspace, path, (dataset) => refresh.now(dataset)),
    totals: async () => (await workspace.catalog()).finishedTotals(),
  };
  return (question) => (answering[question.about] as (question: Question) => Promise<object>)(question);
}

async function lineageFacts(workspace: Workspace, version: FoundVersion | string): Promise<Lineage> {
  const found = typeof version === "string" ? await findVersion(workspace, version) : version;
  const ancestry = await ancestryOf(workspace, found);
  const steps = await describeLineage(workspace, ancestry);
  return { versions: [...ancestry.values()].map(lineageVersion), json: JSON.stringify(steps, null, 2) };
}

function lineageVersion(found: Descendant): LineageVersion {
  const { version, parents } = found;
  const root = isFinished(version) ? rootBlockOf(version) : undefined;
  return { id: version.id, reference: nameOfVersion(found), parents, root };
}
