#include "walcat/postgres/keyless_tables.h"

#include <fmt/format.h>

#include <utility>

#include "walcat/base/shortened_list.h"

namespace walcat {

namespace {

constexpr int kVersionWithSchemas = 150000;
constexpr int kVersionWithPublishedGenerated = 180000;

// Every OID below is the system's.
constexpr std::uint32_t kFirstUserOid = 16384;

// Generated columns that a replica identity may not hold, as conditions on pg_attribute `a`.
const char* unpublished_generated(const Connection& connection, const KeylessScope& scope) {
  if (connection.server_version() < kVersionWithPublishedGenerated) return "false";
  return scope.publishes_generated ? "a.attgenerated = 'v'" : "a.attgenerated <> ''";
}

// Whether the index that `which` chooses identifies rows to the server.
std::string has_index(const Connection& connection, const KeylessScope& scope, const char* which) {
  std::string exists = fmt::format(
      "EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND {} AND i.indisvalid AND i.indimmediate",
      which);
  if (connection.server_version() >= kVersionWithPublishedGenerated) {
    exists += fmt::format(
        " AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY "
        "((i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1]) AND {})",
        unpublished_generated(connection, scope));
  }
  return exists + ")";
}

// The cheapest change that helps.
std::string remedy(const TableName& table, bool has_primary_key, bool has_generated) {
  const std::string alter = "ALTER TABLE " + table.to_string() + " REPLICA IDENTITY ";
  if (has_primary_key) return alter + "DEFAULT;";
  // FULL would hold the generated columns as well.
  if (has_generated) return alter + "USING INDEX <a unique index without generated columns>;";
  return alter + "FULL;";
}

}  // namespace

KeylessScope KeylessScope::all_tables() {
  return {fmt::format("SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid >= {}", kFirstUserOid)};
}

KeylessScope KeylessScope::named(const Connection& connection, const std::vector<TableName>& tables) {
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const TableName& table : tables) {
    names.push_back(fmt::format("({}, {})", connection.literal(table.schema), connection.literal(table.table)));
  }
  return {
      fmt::format("SELECT c.oid FROM (VALUES {}) AS named(schemaname, tablename) JOIN pg_catalog.pg_namespace n ON "
                  "n.nspname = named.schemaname JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname "
                  "= named.tablename",
                  fmt::join(names, ", "))};
}

KeylessScope KeylessScope::of_publication(const Connection& connection, const std::string& publication) {
  std::string oids = fmt::format(
      "SELECT r.prrelid FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid "
      "= p.oid WHERE p.pubname = {0} UNION ALL SELECT c.oid FROM pg_catalog.pg_publication p JOIN "
      "pg_catalog.pg_class c ON c.relkind = 'r' AND c.oid >= {1} WHERE p.pubname = {0} AND p.puballtables",
      connection.literal(publication), kFirstUserOid);
  if (connection.server_version() >= kVersionWithSchemas) {
    oids += fmt::format(
        " UNION ALL SELECT c.oid FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_namespace s ON "
        "s.pnpubid = p.oid JOIN pg_catalog.pg_class c ON c.relnamespace = s.pnnspid WHERE p.pubname = {}",
        connection.literal(publication));
  }
  return {std::move(oids)};
}

Result<std::vector<KeylessTable>> keyless_tables(Connection& connection, const KeylessScope& scope) {
  const std::string primary = has_index(connection, scope, "i.indisprimary");
  auto rows = connection.query<std::string, std::string, bool, bool>(
      {"tables without a replica identity",
       fmt::format(
           "WITH RECURSIVE tree (oid) AS ({0} UNION SELECT i.inhrelid FROM tree t JOIN pg_catalog.pg_class c ON c.oid "
           "= "
           "t.oid AND c.relkind = 'p' JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid), identified AS (SELECT "
           "n.nspname, c.relname, c.relreplident, {1} AS has_primary_key, {2} AS has_index, EXISTS (SELECT 1 FROM "
           "pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND {3}) AS "
           "has_generated FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid JOIN pg_catalog.pg_namespace n ON "
           "n.oid = "
           "c.relnamespace WHERE c.relkind = 'r' AND c.relpersistence = 'p') SELECT nspname, relname, has_primary_key, "
           "has_generated FROM identified WHERE NOT CASE relreplident WHEN 'd' THEN has_primary_key WHEN 'i' THEN "
           "has_index "
           "WHEN 'f' THEN NOT has_generated ELSE false END ORDER BY nspname, relname",
           scope.oids, primary, has_index(connection, scope, "i.indisreplident"),
           unpublished_generated(connection, scope))});
  if (!rows.is_ok()) return rows.status();
  std::vector<KeylessTable> tables;
  for (auto& [schema, table, has_primary_key, has_generated] : *rows) {
    const TableName name{std::move(schema), std::move(table)};
    tables.push_back({name, remedy(name, has_primary_key, has_generated)});
  }
  return tables;
}

std::string describe_keyless(const std::string& publication, const char* verb,
                             const std::vector<KeylessTable>& tables) {
  std::vector<std::string> remedies;
  remedies.reserve(tables.size());
  for (const KeylessTable& table : tables) remedies.push_back(table.remedy);
  return fmt::format(
      "publication {} {} UPDATE and DELETE fail on {} without a replica identity, for every client; hint: {} or give "
      "{} a primary key",
      publication, verb, tables.size() == 1 ? "a table" : fmt::format("{} tables", tables.size()),
      shortened_list(remedies, " "), tables.size() == 1 ? "it" : "each");
}

}  // namespace walcat
