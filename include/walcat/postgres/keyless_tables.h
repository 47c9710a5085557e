#pragma once

#include <string>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/model/table_name.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// What is done before tables are published whose UPDATE and DELETE would fail from then on (`on_keyless`).
enum class OnKeyless {
  kRefuse,   ///< Only tables that the configuration lists are published so, with a warning.
  kPublish,  ///< They are published, with a warning.
};

/// A table on which a publication makes every UPDATE and DELETE fail, whoever runs it: it has no replica identity.
struct KeylessTable {
  TableName name;
  /// The SQL that gives it one.
  std::string remedy;
};

/// Of which tables keyless_tables() is asked. Partitions come with their root: what counts is the leaf that is written
/// to.
struct KeylessScope {
  static KeylessScope all_tables();
  /// `tables` must not be empty.
  static KeylessScope named(const Connection& connection, const std::vector<TableName>& tables);
  /// What a publication that exists publishes now.
  static KeylessScope of_publication(const Connection& connection, const std::string& publication);

  /// A query of the tables' OIDs.
  std::string oids;
  /// Whether stored generated columns are published, so that a replica identity may hold them (PostgreSQL 18).
  bool publishes_generated = false;
};

/// The tables in `scope` that have no replica identity, by name; one query.
///
/// No replica identity have ordinary tables with NOTHING, with DEFAULT and no primary key (a deferrable one is none),
/// or USING an INDEX that has been dropped; and, from PostgreSQL 18 on, those whose identity holds generated columns
/// that are not published.
/// Source: CheckCmdReplicaIdentity in PostgreSQL's src/backend/executor/execReplication.c.
Result<std::vector<KeylessTable>> keyless_tables(Connection& connection, const KeylessScope& scope);

/// What `publication` does, or would do (`verb`, such as `makes`), to `tables`, and the SQL that heals it.
std::string describe_keyless(const std::string& publication, const char* verb, const std::vector<KeylessTable>& tables);

}  // namespace walcat
