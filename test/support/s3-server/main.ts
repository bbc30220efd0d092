/** The S3 server as a process of its own, for benchmarks and mounts: `node main.js [port]` (`object-server/control.ts`). */
import { serveUntilInputEnds } from "../object-server/control.js";
import { startS3Server } from "./server.js";

const server = await startS3Server({ port: Number(process.argv[2] ?? 0) });
await serveUntilInputEnds(server, { ...server.account });
