/** The GCS server as a process of its own, for benchmarks and mounts: `node main.js [port]` (`object-server/control.ts`). */
import { serveUntilInputEnds } from "../object-server/control.js";
import { startGcsServer } from "./server.js";

const server = await startGcsServer({ port: Number(process.argv[2] ?? 0), publicBuckets: ["open"] });
await serveUntilInputEnds(server, { subjectToken: server.subjectToken });
