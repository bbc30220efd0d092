/** The GCS adapter: the contract. */
import { gcsRemoteOn, gcsServer, useCredentials } from "../../support/gcs.js";
import { remoteSuite } from "../suite.js";

remoteSuite("gcs", async (t) => {
  const server = await gcsServer(t);
  await useCredentials(t, server);
  return gcsRemoteOn(t, server, { prefix: "some/prefix/" });
});
