/** A process that opens a catalog, reserves versions in the dataset `p/d` and prints their labels. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";

import { openCatalog } from "../../src/catalog/catalog.js";

const [path = "", count = ""] = process.argv.slice(2);
const newId = () => randomBytes(16).toString("hex");

console.log("ready");
await once(process.stdin, "data");
const catalog = await openCatalog(path);
const { id: dataset } = await catalog.ensureDataset({ project: "p", name: "d", id: newId() });
const labels: string[] = [];
for (let round = 0; round < Number(count); round++) {
  const asked = { parents: [], tags: ["t"], description: "", createdBy: "me", remoteId: "0".repeat(32) };
  labels.push((await catalog.reserveVersion({ ...asked, id: newId(), dataset })).label);
}
await catalog.close();
console.log(JSON.stringify(labels));
