/** The Azure adapter: the contract. */
import { after } from "node:test";

import { azureContainer, azureRemoteOn, startAzurite, useAzureAccount } from "../../support/azurite.js";
import { remoteSuite } from "../suite.js";

const azurite = await startAzurite({ after });
useAzureAccount(azurite);

remoteSuite("azure", async (t) =>
  azureRemoteOn(t, await azureContainer(t, azurite), { prefix: "some/prefix/" }),
);
