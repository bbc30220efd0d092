/**
 * What columns are in PostgreSQL, and how their values come back. Migrations say integer, bigint, text and blob, as SQLite
 * does; here text sorts bytewise, as it does there, and bytes have another name. A bigint becomes a number, or a failure
 * where it would not be exact.
 */
import {
  type ColumnDefinitionNode,
  type KyselyPlugin,
  OperationNodeTransformer,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  RawNode,
  type RootOperationNode,
  type UnknownRow,
} from "kysely";
import { type CustomTypesConfig, types } from "pg";

import { DatasetError } from "../../errors.js";

const COLUMN_TYPES: Readonly<Record<string, string>> = { text: 'text collate "C"', blob: "bytea" };

/** The second is what sums of the first are. */
const WHOLE_NUMBERS = [types.builtins.INT8, types.builtins.NUMERIC];

/** Writes the types of new columns as PostgreSQL has them. */
export class ColumnTypes implements KyselyPlugin {
  readonly #transformer = new ColumnTypeTransformer();

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    return this.#transformer.transformNode(node, queryId);
  }

  transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return Promise.resolve(result);
  }
}

class ColumnTypeTransformer extends OperationNodeTransformer {
  protected override transformColumnDefinition(
    ...[node, queryId]: Parameters<OperationNodeTransformer["transformColumnDefinition"]>
  ): ColumnDefinitionNode {
    const column = super.transformColumnDefinition(node, queryId);
    const type = "dataType" in column.dataType ? COLUMN_TYPES[String(column.dataType.dataType)] : undefined;
    return type === undefined ? column : { ...column, dataType: RawNode.createWithSql(type) };
  }
}

/** How the driver reads values. */
export const VALUE_TYPES: CustomTypesConfig = {
  getTypeParser: (oid: (typeof WHOLE_NUMBERS)[number]) =>
    WHOLE_NUMBERS.includes(oid) ? safeNumber : (types.getTypeParser(oid) as (text: string) => unknown),
};

/** @throws {DatasetError} `format-damaged` */
function safeNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  const message = `Cannot read the number ${text} from the catalog: it is no whole number, or one beyond 2^53`;
  throw new DatasetError("format-damaged", { what: "catalog" }, message);
}
