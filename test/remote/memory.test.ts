import { memoryRemote } from "../support/memory-remote.js";
import { remoteSuite } from "./suite.js";

remoteSuite("memory", async () => memoryRemote());
