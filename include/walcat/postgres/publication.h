#pragma once

#include <span>
#include <string>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/model/published_table.h"
#include "walcat/model/table_name.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/keyless_tables.h"

namespace walcat {

/// Why a relation of this pg_class.relkind and relpersistence can't be published: `a view`, `an unlogged table`; empty:
/// it can.
std::string unpublishable_kind(char kind, char persistence);

/// Of each of `tables` whether it exists and can be published; kRefused by name where not. `way_out` ends the hint.
Result<std::vector<Status>> judge_tables(Connection& connection, std::span<const TableName> tables,
                                         const std::string& way_out = "");

/// Why the first of them is refused, and the names of all that are.
Status check_tables(Connection& connection, const std::vector<TableName>& tables, const std::string& way_out = "");

/// What the configuration wants published.
struct PublicationRequest {
  std::string name;
  /// Empty: all tables.
  std::vector<TableName> tables;
  OnKeyless on_keyless = OnKeyless::kRefuse;
};

/// Creates the publication, or adds the tables it lacks. Nothing is ever dropped.
///
/// Where it would make UPDATE and DELETE fail on tables that the configuration does not list, it is not created, unless
/// `on_keyless` says so.
/// Must run before the slot is created: decoding fails for ever at a point of the log where the publication did not
/// exist yet.
/// Errors: kRefused naming the tables, rights or relation kinds that stand in the way, all of them, and the statement
///     for whoever may run it.
/// Source: PostgreSQL manual, CREATE PUBLICATION and ALTER PUBLICATION.
Status ensure_publication(Connection& connection, const PublicationRequest& request, const log::Logger& logger);

/// Says what a publication that is there already does to tables without a replica identity: as a warning if it is
/// walcat's own, as what another role has made is for that role to answer for.
Status tell_keyless(Connection& connection, const std::string& name, const log::Logger& logger);

/// Whether there is a publication of this name.
Result<bool> has_publication(Connection& connection, const std::string& name);

/// The tables that the publication publishes now, under the names that their changes come with, and their columns.
Result<std::vector<PublishedTable>> published_columns(Connection& connection, const std::string& name);

}  // namespace walcat
