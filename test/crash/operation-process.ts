/**
 * A process that makes one operation: `node operation-process.js NAME FOLDER`. Exits with 3 for a failure that says what
 * is the matter: one of ours, or of a system call.
 */
import { errnoOf, isDatasetError } from "../../src/errors.js";
import { programs } from "../../src/programs.js";
import { CARELESS } from "./careless-operations.js";
import { OPERATIONS, stageIn } from "./operations.js";

// This one is put into few files, which lie one folder deeper; so are those that it starts.
const shipped = (path: string) => new URL(`../../../varve/${path}`, import.meta.url);
Object.assign(programs, { daemon: shipped("daemon.js"), ingestWorker: shipped("content/ingest-worker.js") });
const [name, folder] = process.argv.slice(2) as [string, string];
const stage = stageIn(folder);
try {
  await { ...OPERATIONS, ...CARELESS }[name]!.run(stage);
} catch (error) {
  console.error(error);
  process.exitCode = isDatasetError(error) || /^E[A-Z]+$/.test(errnoOf(error) ?? "") ? 3 : 4;
} finally {
  await stage.workspace.close();
}
