/** What an Azure connection string says, as the portal and every Azure tool write it: `AccountName=…;AccountKey=…`. */

export interface AzureConnection {
  account: string | undefined;
  key: string | undefined;
  /** A shared access signature, without its question mark. */
  sas: string | undefined;
  /** The address of the blob service, where it is not the account's own. */
  endpoint: string | undefined;
}

/** `AZURE_STORAGE_CONNECTION_STRING`; undefined when it is not set. */
export function connectionOf(env: NodeJS.ProcessEnv): AzureConnection | undefined {
  const text = env["AZURE_STORAGE_CONNECTION_STRING"];
  if (!text) return undefined;
  const fields = new Map(text.split(";").map(fieldOf));
  return {
    account: fields.get("accountname"),
    key: fields.get("accountkey"),
    sas: fields.get("sharedaccesssignature")?.replace(/^\?/, ""),
    endpoint: fields.get("blobendpoint"),
  };
}

/** Only the first `=` divides: keys end with others. */
function fieldOf(text: string): [name: string, value: string] {
  const [name = "", ...value] = text.trim().split("=");
  return [name.toLowerCase(), value.join("=")];
}
