#include "walcat/postgres/snapshot.h"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "table_keys.h"

namespace walcat {

namespace {

// First OID that pgoutput describes by a Type message (FirstGenbkiObjectId).
constexpr std::uint32_t kFirstDescribedOid = 10000;

// A table's pages are counted in 32 bits (MaxBlockNumber).
constexpr std::uint64_t kPagesMost = 0xFFFFFFFE;

// Reads the catalog of a set of tables, one query a subject. The view of published tables, and the sizes of files, wait
// for whoever alters a table. Only the first asks what is published, which takes the server the longer the more tables
// the publication has; the others go by what that has found.
class RelationReader {
 public:
  // `tables`: a subquery of schemaname, tablename, attnames and rowfilter, as pg_publication_tables has them.
  RelationReader(Connection& connection, std::string tables)
      : connection_(connection), version_(connection.server_version()), tables_(std::move(tables)) {}

  Result<std::vector<PublishedRelation>> read() {
    if (const Status status = read_relations(); !status.is_ok()) return status;
    if (relations_.empty()) return std::move(relations_);
    for (const auto step : {&RelationReader::read_columns, &RelationReader::read_types, &RelationReader::read_tables}) {
      if (const Status status = (this->*step)(); !status.is_ok()) return status;
    }
    return std::move(relations_);
  }

 private:
  Status read_relations() {
    auto rows = connection_.query<std::uint32_t, std::string, std::string, char, std::optional<std::string>,
                                  std::optional<std::string>, bool>(
        {"published tables",
         fmt::format("SELECT c.oid, n.nspname, c.relname, c.relreplident, p.attnames, p.rowfilter, {} IS NOT NULL FROM "
                     "{} p JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname JOIN pg_catalog.pg_class c ON "
                     "c.relnamespace = n.oid AND c.relname = p.tablename WHERE c.relpersistence = 'p' ORDER BY "
                     "n.nspname, c.relname",
                     key_index("c.oid", KeyHolds::kAlways, version_), tables_),
         Wait::kForOthers});
    if (!rows.is_ok()) return rows.status();
    for (auto& [oid, schema, name, identity, columns, row_filter, has_key] : *rows) {
      PublishedRelation published;
      published.relation.oid = oid;
      published.relation.schema = std::move(schema);
      published.relation.name = std::move(name);
      published.relation.identity = static_cast<ReplicaIdentity>(identity);
      published.row_filter = std::move(row_filter).value_or("");
      published.has_key = has_key;
      places_.emplace(oid, relations_.size());
      column_lists_.push_back(std::move(columns));
      relations_.push_back(std::move(published));
    }
    return Status::ok();
  }

  // The tables that were found, each with its column list, as rows of SQL: OID, attnames.
  std::string found_tables() const {
    std::string rows = "(VALUES (0::pg_catalog.oid, NULL::pg_catalog.name[])";
    for (std::size_t i = 0; i < relations_.size(); ++i) {
      const auto& columns = column_lists_[i];
      rows += fmt::format(", ({}, {})", relations_[i].relation.oid, columns ? connection_.literal(*columns) : "NULL");
    }
    return rows + ") AS p (oid, attnames)";
  }

  Status read_columns() {
    const char* is_generated = version_ >= 120000 ? "a.attgenerated <> ''" : "false";
    // The view lists generated columns up to 17, which such servers do not send.
    std::string sent = "(p.attnames IS NULL OR a.attname = ANY (p.attnames))";
    if (version_ >= 180000) sent += " AND (p.attnames IS NOT NULL OR a.attgenerated = '')";
    if (version_ >= 120000 && version_ < 180000) sent += " AND a.attgenerated = ''";
    auto rows = connection_.query<std::uint32_t, std::string, std::uint32_t, std::int32_t, bool, bool>(
        {"columns of published tables",
         fmt::format("SELECT c.oid, a.attname, a.atttypid, a.atttypmod, c.relreplident = 'f' OR EXISTS (SELECT 1 FROM "
                     "pg_catalog.pg_index i WHERE i.indrelid = c.oid AND {} AND a.attnum = ANY "
                     "((i.indkey::pg_catalog.int2[])[0:{} - 1])), {} FROM {} JOIN pg_catalog.pg_class c ON c.oid = "
                     "p.oid JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT "
                     "a.attisdropped WHERE {} ORDER BY c.oid, a.attnum",
                     is_identity("i", "c"), key_size("i", version_), is_generated, found_tables(), sent)});
    if (!rows.is_ok()) return rows.status();
    for (auto& [oid, name, type_oid, type_modifier, is_key, is_generated_one] : *rows) {
      const auto place = places_.find(oid);
      if (place == places_.end()) continue;
      Column column;
      column.name = std::move(name);
      column.type_oid = type_oid;
      column.type_modifier = type_modifier;
      column.is_key = is_key;
      PublishedRelation& published = relations_[place->second];
      published.has_generated = published.has_generated || is_generated_one;
      published.relation.columns.push_back(std::move(column));
    }
    return Status::ok();
  }

  // A Type message carries a domain's OID and its base type's name; the schema of built-in types is empty.
  Status read_types() {
    std::set<std::uint32_t> described;
    for (const PublishedRelation& published : relations_) {
      for (const Column& column : published.relation.columns) {
        if (column.type_oid >= kFirstDescribedOid) described.insert(column.type_oid);
      }
    }
    if (described.empty()) return Status::ok();
    auto rows = connection_.query<std::uint32_t, std::string, std::string>(
        {"types",
         fmt::format("WITH RECURSIVE base (oid, type) AS (SELECT t.oid, t.oid FROM pg_catalog.pg_type t WHERE t.oid IN "
                     "({}) UNION ALL SELECT b.oid, t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = "
                     "b.type WHERE t.typtype = 'd') SELECT b.oid, CASE n.nspname WHEN 'pg_catalog' THEN '' ELSE "
                     "n.nspname END, t.typname FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type JOIN "
                     "pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype <> 'd'",
                     fmt::join(described, ", "))});
    if (!rows.is_ok()) return rows.status();
    std::unordered_map<std::uint32_t, std::pair<std::string, std::string>> types;
    for (auto& [oid, schema, name] : *rows) types.emplace(oid, std::pair(std::move(schema), std::move(name)));
    for (PublishedRelation& published : relations_) {
      for (Column& column : published.relation.columns) {
        const auto type = types.find(column.type_oid);
        if (type == types.end()) continue;
        column.type_schema = type->second.first;
        column.type_name = type->second.second;
      }
    }
    return Status::ok();
  }

  Status read_tables() {
    std::vector<std::uint32_t> oids;
    for (const PublishedRelation& published : relations_) oids.push_back(published.relation.oid);
    // Of a table that was never counted servers from 14 on say -1, older ones that it has no pages.
    const char* count = version_ >= 140000 ? "c.reltuples" : "CASE WHEN c.relpages > 0 THEN c.reltuples ELSE -1 END";
    // Only leaves of partitioned tables are followed down; children of ordinary parents are tables of their own.
    auto rows = connection_.query<std::uint32_t, std::uint32_t, std::string, std::string, std::optional<std::uint32_t>,
                                  std::optional<bool>, std::optional<std::uint64_t>, std::uint64_t, double,
                                  std::optional<bool>, std::optional<bool>>(
        {"files of published tables",
         fmt::format(
             "WITH RECURSIVE tree (root, oid) AS (SELECT c.oid, c.oid FROM pg_catalog.pg_class c WHERE c.oid IN ({}) "
             "UNION "
             "ALL SELECT t.root, i.inhrelid FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid AND c.relkind = "
             "'p' "
             "JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid) SELECT t.root, c.oid, n.nspname, c.relname, "
             "pg_catalog.pg_relation_filenode(c.oid), c.relfilenode <> pg_catalog.pg_relation_filenode(c.oid), "
             "pg_catalog.pg_relation_size(c.oid), pg_catalog.current_setting('block_size'), {}, c.reltoastrelid <> "
             "0 AND pg_catalog.pg_relation_size(c.reltoastrelid) > 0, pg_catalog.has_table_privilege(c.oid, 'SELECT') "
             "AND "
             "pg_catalog.has_schema_privilege(n.oid, 'USAGE') FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid "
             "JOIN "
             "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND c.relpersistence = 'p' "
             "ORDER BY "
             "n.nspname, c.relname",
             fmt::join(oids, ", "), count),
         Wait::kForOthers});
    if (!rows.is_ok()) return rows.status();
    // A table that has been dropped since the snapshot has no file any more.
    for (auto& [root, oid, schema, name, filenode, was_rewritten, bytes, page_bytes, row_count, has_toast, may_read] :
         *rows) {
      const auto place = places_.find(root);
      if (place == places_.end()) continue;
      if (page_bytes == 0 || bytes.value_or(0) / page_bytes > kPagesMost) {
        return misfit(fmt::format("a table of {} bytes has pages of {}", bytes.value_or(0), page_bytes))
            .with_context("files of published tables");
      }
      PhysicalTable table;
      table.oid = oid;
      table.name = {std::move(schema), std::move(name)};
      table.filenode = filenode.value_or(0);
      table.was_rewritten = was_rewritten.value_or(false);
      table.page_bytes = page_bytes;
      table.pages = bytes.value_or(0) / page_bytes;
      table.rows = row_count;
      table.has_toast = has_toast.value_or(false);
      table.may_read = may_read.value_or(false);
      relations_[place->second].tables.push_back(std::move(table));
    }
    return Status::ok();
  }

  Connection& connection_;
  const int version_;
  const std::string tables_;
  std::vector<PublishedRelation> relations_;
  // Of each relation, as the view has it: an array's text; null for all columns.
  std::vector<std::optional<std::string>> column_lists_;
  std::unordered_map<std::uint32_t, std::size_t> places_;
};

std::string names_of(const Connection& connection, std::span<const TableName> tables) {
  std::string names;
  for (const TableName& table : tables) {
    names += fmt::format("{}({}, {})", names.empty() ? "" : ", ", connection.literal(table.schema),
                         connection.literal(table.table));
  }
  return names;
}

std::string published_tables(const Connection& connection, const std::string& publication,
                             const std::string& restriction) {
  const char* lists = connection.server_version() >= 150000
                          ? "attnames, rowfilter"
                          : "NULL::pg_catalog.name[] AS attnames, NULL::pg_catalog.text AS rowfilter";
  return fmt::format("(SELECT schemaname, tablename, {} FROM pg_catalog.pg_publication_tables WHERE pubname = {}{})",
                     lists, connection.literal(publication), restriction);
}

}  // namespace

Result<std::vector<PublishedRelation>> published_relations(Connection& connection, const std::string& publication) {
  return RelationReader(connection, published_tables(connection, publication, "")).read();
}

// The restriction reaches the view's join of pg_class, so that column lists and filters of others are not made up.
Result<std::vector<PublishedRelation>> published_relations(Connection& connection, const std::string& publication,
                                                           std::span<const TableName> tables) {
  if (tables.empty()) return std::vector<PublishedRelation>();
  const std::string asked = " AND (schemaname, tablename) IN (VALUES " + names_of(connection, tables) + ")";
  return RelationReader(connection, published_tables(connection, publication, asked)).read();
}

Result<std::vector<PublishedRelation>> named_relations(Connection& connection, const std::vector<TableName>& tables) {
  return RelationReader(connection, fmt::format("(SELECT schemaname, tablename, NULL::pg_catalog.name[] AS attnames, "
                                                "NULL::pg_catalog.text AS rowfilter FROM (VALUES {}) AS "
                                                "named(schemaname, tablename))",
                                                names_of(connection, tables)))
      .read();
}

Result<std::vector<TableForm>> table_forms(Connection& connection, const std::vector<std::uint32_t>& oids) {
  std::vector<TableForm> forms;
  if (oids.empty()) return forms;
  auto rows = connection.query<std::uint32_t, std::string, std::string, char, std::optional<std::string>,
                               std::optional<std::string>>(
      {"columns and keys of tables",
       fmt::format(
           "SELECT c.oid, n.nspname, c.relname, c.relreplident, (SELECT pg_catalog.array_agg(pg_catalog.concat_ws(':', "
           "a.attnum, a.attname, a.atttypid, a.atttypmod, a.attisdropped) ORDER BY a.attnum) FROM "
           "pg_catalog.pg_attribute a "
           "WHERE a.attrelid = c.oid AND a.attnum > 0), (SELECT pg_catalog.array_agg(pg_catalog.concat_ws(':', "
           "i.indkey, "
           "i.indisprimary, i.indisreplident) ORDER BY i.indexrelid) FROM pg_catalog.pg_index i WHERE i.indrelid = "
           "c.oid "
           "AND "
           "i.indisunique AND i.indisvalid) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
           "c.relnamespace WHERE c.oid IN ({}) ORDER BY c.oid",
           fmt::join(oids, ", "))});
  if (!rows.is_ok()) return rows.status();
  for (auto& [oid, schema, name, identity, columns, keys] : *rows) {
    forms.push_back({oid, {std::move(schema), std::move(name)}, identity, std::move(columns), std::move(keys)});
  }
  return forms;
}

Status lock_tables(Connection& connection, const std::vector<TableName>& tables) {
  constexpr std::size_t kTogether = 500;
  for (std::size_t i = 0; i < tables.size(); i += kTogether) {
    std::string names;
    for (std::size_t j = i; j < tables.size() && j < i + kTogether; ++j) {
      names += (names.empty() ? "ONLY " : ", ONLY ") + tables[j].quoted();
    }
    const Status locked =
        connection.execute(fmt::format("LOCK TABLE {} IN ACCESS SHARE MODE", names), Wait::kForOthers);
    if (!locked.is_ok()) return locked;
  }
  return Status::ok();
}

Status begin_snapshot(Connection& connection) {
  return connection.execute("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ");
}

Status use_own_path(Connection& connection) { return connection.execute("SET LOCAL search_path TO DEFAULT"); }

Status use_pinned_path(Connection& connection) { return connection.execute("SET LOCAL search_path TO pg_catalog"); }

// pg_publication_tables would open every table of the publication. This opens one, and waits for whoever alters it.
Result<std::string> row_filter_in_force(Connection& connection, const std::string& publication, std::uint32_t oid) {
  auto filter = connection.query_value<std::optional<std::string>>(
      {fmt::format("the row filter of the table with OID {}", oid),
       fmt::format("SELECT pg_catalog.pg_get_expr(r.prqual, r.prrelid) FROM pg_catalog.pg_publication_rel r "
                   "JOIN pg_catalog.pg_publication p ON p.oid OPERATOR(pg_catalog.=) r.prpubid WHERE "
                   "p.pubname OPERATOR(pg_catalog.=) {} AND r.prrelid OPERATOR(pg_catalog.=) {}",
                   connection.literal(publication), oid),
       Wait::kForOthers});
  if (!filter.is_ok()) return filter.status();
  return std::move(*filter).value_or("");
}

Result<std::string> export_snapshot(Connection& connection) {
  return connection.query_value<std::string>({"a snapshot to share", "SELECT pg_catalog.pg_export_snapshot()"});
}

Result<VisibleTransactions> current_snapshot(Connection& connection) {
  return connection.query_value<VisibleTransactions>(
      {"what the snapshot sees", connection.server_version() >= 130000 ? "SELECT pg_catalog.pg_current_snapshot()"
                                                                       : "SELECT pg_catalog.txid_current_snapshot()"});
}

Result<Lsn> position_of_snapshot(Connection& connection) {
  const auto position = connection.query_value<std::optional<Lsn>>(
      {"the snapshot's position",
       "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN "
       "pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_insert_lsn() END"});
  if (!position.is_ok()) return position.status();
  return position->value_or(Lsn{});
}

}  // namespace walcat
