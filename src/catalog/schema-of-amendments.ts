/** The tables of amendments, of deleted versions and of former names, as `schema.ts` has the others. */

export interface AmendmentTables {
  amendmentPositions: AmendmentPositionsTable;
  amendedFields: AmendedFieldsTable;
  keptAmendments: KeptAmendmentsTable;
  deletedVersions: DeletedVersionsTable;
  formerNames: FormerNamesTable;
}

/** How far the amendments of a dataset in a remote were looked at: the number of the last. */
export interface AmendmentPositionsTable {
  datasetId: string;
  remoteId: string;
  number: number;
}

/** By which amendment a fact has the value it has. `subjectId` is a version or a dataset; `field` as `apply-change.ts` names it. */
export interface AmendedFieldsTable {
  datasetId: string;
  subjectId: string;
  field: string;
  stampMs: number;
  amendmentId: string;
}

/** Amendments looked at and not applied: of a version that is not here, or of a kind that this varve does not know. */
export interface KeptAmendmentsTable {
  datasetId: string;
  remoteId: string;
  number: number;
  /** The version it waits for. */
  versionId: string | null;
  /** JSON, as it lies in the remote. */
  content: string;
}

/** Versions that are no more; nobody is given their labels again. */
export interface DeletedVersionsTable {
  versionId: string;
  datasetId: string;
  label: string;
  canonicalLabel: string;
  labelOrder: string;
  deletedAtMs: number;
}

/** What datasets were called before. */
export interface FormerNamesTable {
  project: string;
  name: string;
  datasetId: string;
}
