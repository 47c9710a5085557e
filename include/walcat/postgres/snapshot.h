#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/model/relation.h"
#include "walcat/model/table_name.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// A table whose rows stand in a file of their own: an ordinary table, or a leaf of a partitioned one.
struct PhysicalTable {
  TableName name;
  std::uint32_t oid = 0;
  std::uint32_t filenode = 0;
  /// Of the main fork, now.
  std::uint64_t pages = 0;
  std::uint64_t page_bytes = 8192;
  /// The planner's estimate; negative if it has none.
  double rows = -1;
  /// Whether values are stored out of line.
  bool has_toast = false;
  bool may_read = true;
  /// Whether another file has taken the place of the one that the transaction's snapshot sees.
  bool was_rewritten = false;
};

/// A published table as the stream would describe it, and where its rows are to be read.
struct PublishedRelation {
  Relation relation;
  /// SQL over the relation's columns; empty: all rows.
  std::string row_filter;
  /// Whether a primary key or another key tells its rows apart.
  bool has_key = false;
  /// Whether generated columns are among its columns: servers from 18 on may send them.
  bool has_generated = false;
  std::vector<PhysicalTable> tables;
};

/// What `publication` publishes, as of now: under the names that changes come with, the columns that they carry.
///
/// Foreign and unlogged leaves are left out: nothing of them is ever streamed.
/// Source: PostgreSQL manual, view-pg-publication-tables.
Result<std::vector<PublishedRelation>> published_relations(Connection& connection, const std::string& publication);
/// The same of those of `tables` that are published under these names, in the order of their names.
Result<std::vector<PublishedRelation>> published_relations(Connection& connection, const std::string& publication,
                                                           std::span<const TableName> tables);

/// The same of `tables`, whether or not anything publishes them: all columns that a stream would carry, all rows.
Result<std::vector<PublishedRelation>> named_relations(Connection& connection, const std::vector<TableName>& tables);

/// What of a table must not change between two looks. Made to be compared.
struct TableForm {
  std::uint32_t oid = 0;
  TableName name;
  char identity = 0;
  /// Texts of the server; no columns or no unique keys is null.
  std::optional<std::string> columns;
  std::optional<std::string> unique_keys;

  bool operator==(const TableForm&) const = default;
};

/// The forms of tables, in the order of their OIDs, as the connection's transaction sees them; those that it does not
/// see are left out. Takes no lock.
Result<std::vector<TableForm>> table_forms(Connection& connection, const std::vector<std::uint32_t>& oids);

/// Takes ACCESS SHARE on the tables until the transaction ends: they can be read and written, not rewritten.
Status lock_tables(Connection& connection, const std::vector<TableName>& tables);

/// Begins the transaction whose snapshot is to be shared.
Status begin_snapshot(Connection& connection);

/// From now on the transaction finds names by the search_path that role, database and connection string give it, as
/// psql does: for a condition that a user wrote. Whatever else stands in the same statement must name its schemas,
/// those of operators too: others may be able to create things in that path.
Status use_own_path(Connection& connection);

/// From now on the transaction finds names in pg_catalog alone again.
Status use_pinned_path(Connection& connection);

/// The row filter of a table that the publication publishes with one, in the words that mean it under the path in
/// force. `oid`: of the table that changes come under.
Result<std::string> row_filter_in_force(Connection& connection, const std::string& publication, std::uint32_t oid);

/// Makes the transaction's snapshot one that others can import for as long as the transaction lives.
Result<std::string> export_snapshot(Connection& connection);

/// What the transaction sees as committed, such as `750:755:751,753`.
Result<VisibleTransactions> current_snapshot(Connection& connection);

/// A position that everything the transaction sees was written before.
Result<Lsn> position_of_snapshot(Connection& connection);

}  // namespace walcat
