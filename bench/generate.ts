/**
 * Makes a version of many files without the files, in the remote and catalog that `VARVE_HOME` and `VARVE_REMOTE` name:
 * `node dist/bench/generate.js DATASET FILES [FILES_IN_A_FOLDER]`, with `bench/many 10000000` or, for one folder of a
 * million, `bench/flat 1000000 1000000`. Prints the version as JSON.
 */
import { Workspace } from "../src/dataset/workspace.js";
import { makeLargeVersion } from "./support/large-version.js";

const [dataset, files, filesInFolder] = process.argv.slice(2);
if (dataset === undefined || !(Number(files) > 0)) {
  process.stderr.write("Usage: node dist/bench/generate.js DATASET FILES [FILES_IN_A_FOLDER]\n");
  process.exit(2);
}
const workspace = new Workspace();
const inFolder = filesInFolder === undefined ? undefined : Number(filesInFolder);
const made = await makeLargeVersion(workspace, { dataset, files: Number(files), filesInFolder: inFolder });
await workspace.close();
console.log(JSON.stringify(made));
