#include "walcat/postgres/publication.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>

#include "publication_rights.h"
#include "walcat/base/shortened_list.h"

namespace walcat {

namespace {

std::string named(const std::vector<TableName>& tables) {
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const TableName& table : tables) names.push_back(table.to_string());
  return shortened_list(names);
}

// Only ordinary and partitioned, permanent tables can be published; say so by name before the server does.
// `kind`, `persistence`: those of what has the name, if anything has.
Status check_table(const TableName& table, const std::optional<char>& kind, const std::optional<char>& persistence,
                   const std::string& database, const std::string& way_out) {
  if (!kind || !persistence) {
    return {
        StatusCode::kRefused,
        fmt::format("table {} does not exist in database {}; hint: names with capitals or dots are written in double "
                    "quotes, as in SQL{}",
                    table.to_string(), database, way_out.empty() ? "" : "; or " + way_out)};
  }
  const std::string hindrance = unpublishable_kind(*kind, *persistence);
  if (hindrance.empty()) return Status::ok();
  return {StatusCode::kRefused, fmt::format("{} is {} and cannot be published{}", table.to_string(), hindrance,
                                            way_out.empty() ? "" : "; hint: " + way_out)};
}

// Refuses, or warns of, what the publication is about to do to tables without a replica identity.
Status check_keyless(Connection& connection, const PublicationRequest& request, const KeylessScope& scope,
                     const log::Logger& logger) {
  const auto keyless = keyless_tables(connection, scope);
  if (!keyless.is_ok()) return keyless.status();
  if (keyless->empty()) return Status::ok();
  if (request.tables.empty() && request.on_keyless == OnKeyless::kRefuse) {
    return {StatusCode::kRefused, describe_keyless(request.name, "for all tables would make", *keyless) +
                                      "; or list in `tables` what to follow; or on_keyless: publish"};
  }
  logger.warning("{}", describe_keyless(request.name, "makes", *keyless));
  return Status::ok();
}

Status create_publication(Connection& connection, const PublicationRequest& request, const log::Logger& logger) {
  const auto& [name, tables, on_keyless] = request;
  const auto scope = tables.empty() ? KeylessScope::all_tables() : KeylessScope::named(connection, tables);
  if (Status harmless = check_keyless(connection, request, scope, logger); !harmless.is_ok()) return harmless;
  const PublicationStatement statement{name, tables, true};
  const Status created = connection.execute(statement.sql(), Wait::kForOthers);
  if (!created.is_ok()) {
    return explain_missing_rights(connection, statement, created).with_context("create publication " + name);
  }
  logger.info("created publication {} for {}", name, tables.empty() ? "all tables" : named(tables));
  return Status::ok();
}

Result<std::set<TableName>> published_tables(Connection& connection, const std::string& name) {
  // Members as they were named; pg_publication_tables would show a partitioned table's leaves instead.
  std::string sql = fmt::format(
      "SELECT n.nspname, c.relname FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_rel r ON r.prpubid "
      "= "
      "p.oid JOIN pg_catalog.pg_class c ON c.oid = r.prrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
      "WHERE p.pubname = {0}",
      connection.literal(name));
  if (connection.server_version() >= 150000) {
    sql += fmt::format(
        " UNION SELECT n.nspname, c.relname FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_namespace "
        "s "
        "ON s.pnpubid = p.oid JOIN pg_catalog.pg_namespace n ON n.oid = s.pnnspid JOIN pg_catalog.pg_class c ON "
        "c.relnamespace = n.oid AND c.relkind IN ('r', 'p') WHERE p.pubname = {0}",
        connection.literal(name));
  }
  auto rows = connection.query<std::string, std::string>({"members of publication " + name, sql});
  if (!rows.is_ok()) return rows.status();
  std::set<TableName> published;
  for (auto& [schema, table] : *rows) published.insert({std::move(schema), std::move(table)});
  return published;
}

// A publication that is there already.
struct FoundPublication {
  bool has_all_tables = false;
  // Whether it publishes updates or deletes.
  bool concerns_keys = false;
  bool publishes_generated = false;
  // Whether its owner is the role that walcat is.
  bool is_own = false;
};

Result<std::optional<FoundPublication>> find_publication(Connection& connection, const std::string& name) {
  const auto row = connection.query_optional_row<bool, bool, bool, bool>(
      {"publication " + name,
       fmt::format(
           "SELECT puballtables, pubupdate OR pubdelete, {}, pg_catalog.pg_get_userbyid(pubowner) = current_user FROM "
           "pg_catalog.pg_publication WHERE pubname = {}",
           connection.server_version() >= 180000 ? "pubgencols = 's'" : "false", connection.literal(name))});
  if (!row.is_ok()) return row.status();
  if (!*row) return std::optional<FoundPublication>();
  const auto& [has_all_tables, concerns_keys, publishes_generated, is_own] = **row;
  return std::optional(FoundPublication{has_all_tables, concerns_keys, publishes_generated, is_own});
}

Status add_missing(Connection& connection, const PublicationRequest& request, const FoundPublication& found,
                   const log::Logger& logger) {
  const auto& [name, tables, on_keyless] = request;
  const auto published = published_tables(connection, name);
  if (!published.is_ok()) return published.status();
  if (tables.empty()) {
    logger.warning("publication {} publishes {} named tables, not all; following those (the configuration lists none)",
                   name, published->size());
    return Status::ok();
  }
  std::vector<TableName> missing;
  std::copy_if(tables.begin(), tables.end(), std::back_inserter(missing),
               [&](const TableName& table) { return !published->contains(table); });
  if (missing.empty()) return Status::ok();
  if (found.concerns_keys) {
    auto scope = KeylessScope::named(connection, missing);
    scope.publishes_generated = found.publishes_generated;
    if (Status harmless = check_keyless(connection, request, scope, logger); !harmless.is_ok()) return harmless;
  }
  const PublicationStatement statement{name, missing, false};
  const Status added = connection.execute(statement.sql(), Wait::kForOthers);
  if (!added.is_ok()) {
    const Status explained = explain_missing_rights(connection, statement, added);
    return explained.with_context(fmt::format("add {} to publication {}", named(missing), name));
  }
  logger.info("added to publication {}: {}", name, named(missing));
  return Status::ok();
}

}  // namespace

std::string unpublishable_kind(char kind, char persistence) {
  if (kind == 'v') return "a view";
  if (kind == 'm') return "a materialized view";
  if (kind == 'f') return "a foreign table";
  if (kind == 'S') return "a sequence";
  if (kind != 'r' && kind != 'p') return "not a table";
  if (persistence == 'u') return "an unlogged table";
  return persistence == 't' ? "a temporary table" : "";
}

Result<std::vector<Status>> judge_tables(Connection& connection, std::span<const TableName> tables,
                                         const std::string& way_out) {
  std::vector<Status> usable(tables.size(), misfit("kinds of tables: it says nothing of one"));
  if (tables.empty()) return usable;
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const TableName& table : tables) {
    names.push_back(
        fmt::format("({}, {}, {})", names.size(), connection.literal(table.schema), connection.literal(table.table)));
  }
  const auto rows = connection.query<std::size_t, std::optional<char>, std::optional<char>>(
      {"kinds of tables",
       fmt::format("SELECT named.place, c.relkind, c.relpersistence FROM (VALUES {}) AS named(place, schemaname, "
                   "tablename) LEFT JOIN (pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = "
                   "n.oid) ON n.nspname = named.schemaname AND c.relname = named.tablename ORDER BY named.place",
                   fmt::join(names, ", "))});
  if (!rows.is_ok()) return rows.status();
  for (const auto& [place, kind, persistence] : *rows) {
    if (place >= tables.size()) return misfit(fmt::format("kinds of tables: it speaks of table {}", place));
    usable[place] = check_table(tables[place], kind, persistence, connection.database(), way_out);
  }
  return usable;
}

Status check_tables(Connection& connection, const std::vector<TableName>& tables, const std::string& way_out) {
  const auto judged = judge_tables(connection, tables, way_out);
  if (!judged.is_ok()) return judged.status();
  std::vector<Status> wrong;
  std::vector<TableName> names;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if ((*judged)[i].is_ok()) continue;
    wrong.push_back((*judged)[i]);
    names.push_back(tables[i]);
  }
  if (wrong.size() < 2) return wrong.empty() ? Status::ok() : wrong.front();
  return {wrong.front().code(), fmt::format("{} tables can't be published: {}; the first: {}", names.size(),
                                            named(names), wrong.front().message())};
}

Status ensure_publication(Connection& connection, const PublicationRequest& request, const log::Logger& logger) {
  const auto& [name, tables, on_keyless] = request;
  const auto found = find_publication(connection, name);
  if (!found.is_ok()) return found.status();
  if (const Status usable = check_tables(connection, tables, "take it out of `tables`"); !usable.is_ok()) return usable;
  if (!*found) return create_publication(connection, request, logger);
  // One that publishes all tables lacks none; what is not listed is not printed.
  return (*found)->has_all_tables ? Status::ok() : add_missing(connection, request, **found, logger);
}

Status tell_keyless(Connection& connection, const std::string& name, const log::Logger& logger) {
  const auto found = find_publication(connection, name);
  if (!found.is_ok()) return found.status();
  if (!*found || !(*found)->concerns_keys) return Status::ok();
  auto scope = KeylessScope::of_publication(connection, name);
  scope.publishes_generated = (*found)->publishes_generated;
  const auto keyless = keyless_tables(connection, scope);
  if (!keyless.is_ok()) return keyless.status();
  if (keyless->empty()) return Status::ok();
  log::write((*found)->is_own ? log::Level::kWarning : log::Level::kInfo, logger.database(),
             describe_keyless(name, "makes", *keyless));
  return Status::ok();
}

Result<bool> has_publication(Connection& connection, const std::string& name) {
  const auto row = connection.query_optional_row<int>(
      {"publication " + name,
       fmt::format("SELECT 1 FROM pg_catalog.pg_publication WHERE pubname = {}", connection.literal(name))});
  if (!row.is_ok()) return row.status();
  return row->has_value();
}

Result<std::vector<PublishedTable>> published_columns(Connection& connection, const std::string& name) {
  // Changes of a partition come under its own name or under that of an ancestor, as the publication says. The view
  // waits for whoever alters a table.
  auto rows = connection.query<std::string, std::string, std::optional<std::string>, std::uint32_t,
                               std::optional<std::int16_t>>(
      {"columns of publication " + name,
       fmt::format("SELECT t.nspname, t.relname, a.attname, t.oid, a.attnum FROM (SELECT c.oid, n.nspname, c.relname "
                   "FROM pg_catalog.pg_publication_tables p JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname "
                   "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename WHERE p.pubname = "
                   "{}) t LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT "
                   "a.attisdropped ORDER BY 1, 2, a.attnum",
                   connection.literal(name)),
       Wait::kForOthers});
  if (!rows.is_ok()) return rows.status();
  std::vector<PublishedTable> tables;
  for (auto& [schema, table, column, oid, number] : *rows) {
    if (tables.empty() || tables.back().schema != schema || tables.back().table != table) {
      tables.push_back({schema, table, {}, oid});
    }
    if (!column || !number) continue;
    tables.back().columns.push_back(*std::move(column));
    tables.back().numbers.push_back(*number);
  }
  return tables;
}

}  // namespace walcat
