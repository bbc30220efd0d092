/** A process that looks after the cache of a folder, and prints what it finds. */
import { Housekeeping } from "../../src/cache/housekeeping.js";

const [directory = ""] = process.argv.slice(2);
const housekeeping = new Housekeeping(directory);
const report = housekeeping.report();
const found = await housekeeping.verify();
housekeeping.close();
process.stdout.write(`${JSON.stringify({ ...report, ...found })}\n`);
