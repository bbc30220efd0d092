/** Answers what the file system of a mount asks of the catalog. */
import { catalogFolder } from "../dataset/catalog-folder.js";
import { findVersion, isFinished, nameOfVersion } from "../dataset/history.js";
import { type Descendant, ancestryOf, describeLineage } from "../dataset/lineage.js";
import { rootBlockOf } from "../dataset/version-tree.js";
import type { Workspace } from "../dataset/workspace.js";
import type { Answerer, Answers, Lineage, LineageVersion, Question } from "../fs/questions.js";
import { BackgroundRefresh } from "./background-refresh.js";

type Answering = {
  [About in Question["about"]]: (question: Question & { about: About }) => Promise<Answers[About]>;
};

export function answererOf(workspace: Workspace): Answerer {
  const refresh = new BackgroundRefresh(workspace);
  const answering: Answering = {
    lineage: ({ version }) => lineageFacts(workspace, version),
    folder: ({ path }) => catalogFolder(workspace, path, (dataset) => refresh.now(dataset)),
    totals: async () => (await workspace.catalog()).finishedTotals(),
  };
  return (question) => (answering[question.about] as (question: Question) => Promise<object>)(question);
}

async function lineageFacts(workspace: Workspace, version: string): Promise<Lineage> {
  const ancestry = await ancestryOf(workspace, await findVersion(workspace, version));
  const steps = await describeLineage(workspace, ancestry);
  return { versions: [...ancestry.values()].map(lineageVersion), json: JSON.stringify(steps, null, 2) };
}

function lineageVersion(found: Descendant): LineageVersion {
  const { version, parents } = found;
  const root = isFinished(version) ? rootBlockOf(version) : undefined;
  return { id: version.id, reference: nameOfVersion(found), parents, root };
}
