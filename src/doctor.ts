/** What `varve doctor` looks at: the machine, where data lies, and what crashes left. Plain data; printing it is the command's. */
import type { Finding } from "./doctor/finding.js";
import { examineLeftovers } from "./doctor/leftovers.js";
import { examineMachine } from "./doctor/machine.js";
import { examineStorage } from "./doctor/storage.js";
import type { Home } from "./home.js";

export type { Finding } from "./doctor/finding.js";

/** Looks at everything, in the order a person would mend it. Takes up to some seconds where a remote does not answer. */
export async function examine(home: Home): Promise<Finding[]> {
  return [...examineMachine(), ...(await examineStorage(home)), ...(await examineLeftovers(home))];
}
