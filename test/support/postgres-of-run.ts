/** The PostgreSQL server of a run of `scripts/test`: says its port, and ends when its standard input does. */
import { once } from "node:events";

import { startPostgres } from "./postgres-server.js";

const server = await startPostgres();
console.log(server.port);
process.stdin.resume();
await once(process.stdin, "end");
await server.stop();
