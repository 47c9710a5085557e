#include "publication_rights.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <tuple>

#include "walcat/base/shortened_list.h"

namespace walcat {

namespace {

// Tables that a message names, and those that a statement in it does: some 16 KiB are a line of the log.
constexpr std::size_t kNamedMost = 20;
constexpr std::size_t kInStatementMost = 100;

struct Rights {
  bool may_create = false;
  bool is_superuser = false;
  // Of a publication that is there.
  std::optional<std::string> owner;
  bool is_owner = false;
};

Result<Rights> rights_to(Connection& connection, const std::string& publication) {
  const auto row = connection.query_row<bool, bool, std::optional<std::string>, std::optional<bool>>(
      {"rights to publish",
       fmt::format(
           "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), (SELECT rolsuper "
           "FROM pg_catalog.pg_roles WHERE rolname = current_user), (SELECT pg_catalog.pg_get_userbyid(pubowner) "
           "FROM pg_catalog.pg_publication WHERE pubname = {0}), (SELECT pg_catalog.pg_has_role(pubowner, "
           "'USAGE') FROM pg_catalog.pg_publication WHERE pubname = {0})",
           connection.literal(publication))});
  if (!row.is_ok()) return row.status();
  const auto& [may_create, is_superuser, owner, is_owner] = *row;
  return Rights{may_create, is_superuser, owner, is_owner.value_or(false)};
}

// The FROM clause of `tables`, at least one: pg_class as c and pg_namespace as n.
std::string named_tables(const Connection& connection, const std::vector<TableName>& tables) {
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const TableName& table : tables) {
    names.push_back(fmt::format("({}, {})", connection.literal(table.schema), connection.literal(table.table)));
  }
  return fmt::format(
      "(VALUES {}) AS named(schemaname, tablename) JOIN pg_catalog.pg_namespace n ON n.nspname = named.schemaname JOIN "
      "pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = named.tablename",
      fmt::join(names, ", "));
}

// Those of `tables` whose owner the role neither is nor can act as.
Result<std::vector<std::string>> tables_of_others(Connection& connection, const std::vector<TableName>& tables) {
  std::vector<std::string> names;
  if (tables.empty()) return names;
  const auto rows = connection.query<std::string, std::string>(
      {"owners of tables",
       fmt::format("SELECT n.nspname, c.relname FROM {} WHERE NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') "
                   "ORDER BY 1, 2",
                   named_tables(connection, tables))});
  if (!rows.is_ok()) return rows.status();
  for (const auto& [schema, table] : *rows) names.push_back(TableName{schema, table}.to_string());
  return names;
}

// A role, no superuser, that owns a part of what the statement is about, is or can act as the owner of the rest, and
// lacks no other right to run the statement; if there is one.
std::optional<std::string> owner_of_all(Connection& connection, const PublicationStatement& statement) {
  // A new publication takes the right to make one, an old one is somebody's.
  const std::string right =
      statement.is_new ? " AND pg_catalog.has_database_privilege(r.oid, pg_catalog.current_database(), 'CREATE')" : "";
  const std::string publication = statement.is_new
                                      ? ""
                                      : " UNION SELECT pubowner FROM pg_catalog.pg_publication WHERE pubname = " +
                                            connection.literal(statement.publication);
  const auto role = connection.query_optional_row<std::string>(
      {"who may publish",
       fmt::format("WITH members AS (SELECT DISTINCT c.relowner, c.relnamespace FROM {}), owners(owner) AS (SELECT "
                   "relowner FROM members{}) SELECT r.rolname FROM pg_catalog.pg_roles r WHERE NOT r.rolsuper AND "
                   "r.oid IN (SELECT owner FROM owners){} AND NOT EXISTS (SELECT FROM owners WHERE NOT "
                   "pg_catalog.pg_has_role(r.oid, owner, 'USAGE')) AND NOT EXISTS (SELECT FROM members WHERE NOT "
                   "pg_catalog.has_schema_privilege(r.oid, relnamespace, 'USAGE')) ORDER BY 1 LIMIT 1",
                   named_tables(connection, statement.tables), publication, right)});
  if (!role.is_ok() || !*role) return std::nullopt;
  return std::get<0>(**role);
}

// Who could run the statement, or else what lets the role do so.
std::string way_out(Connection& connection, const PublicationStatement& statement, bool lacks_create_alone) {
  const std::string sql = statement.sql(kInStatementMost);
  if (statement.tables.empty()) return fmt::format("as a superuser: {}; or list in `tables` what to follow", sql);
  if (lacks_create_alone) {
    return fmt::format("GRANT CREATE ON DATABASE {} TO {}; or as a superuser: {};",
                       quote_identifier(connection.database()), quote_identifier(connection.user()), sql);
  }
  const auto owner = owner_of_all(connection, statement);
  return fmt::format("as {}a superuser: {};", owner ? quote_identifier(*owner) + " or " : "", sql);
}

}  // namespace

std::string PublicationStatement::sql(std::size_t most) const {
  const std::string name = quote_identifier(publication);
  if (tables.empty()) return fmt::format("CREATE PUBLICATION {} FOR ALL TABLES", name);
  // Without ONLY the children of an ordinary table are published as well; partitions are with their root in any case.
  std::vector<std::string> members;
  for (const TableName& table : tables) {
    if (members.size() < most) members.push_back("ONLY " + table.quoted());
  }
  std::string text = fmt::format("{} PUBLICATION {} {} TABLE {}", is_new ? "CREATE" : "ALTER", name,
                                 is_new ? "FOR" : "ADD", fmt::join(members, ", "));
  if (members.size() < tables.size()) text += fmt::format(" /* and {} more */", tables.size() - members.size());
  return text;
}

Status explain_missing_rights(Connection& connection, const PublicationStatement& statement, const Status& refused) {
  if (refused.code() != StatusCode::kRefused || refused.kind() != FaultKind::kAuthentication) return refused;
  const auto rights = rights_to(connection, statement.publication);
  if (!rights.is_ok()) return refused;
  const auto others = tables_of_others(connection, statement.tables);
  if (!others.is_ok()) return refused;
  std::vector<std::string> lacks;
  if (statement.tables.empty() && !rights->is_superuser) lacks.emplace_back("is no superuser");
  if (statement.is_new && !rights->may_create) {
    lacks.push_back(fmt::format("has no right CREATE on database {}", quote_identifier(connection.database())));
  }
  if (!statement.is_new && !rights->is_owner) {
    lacks.push_back(
        fmt::format("does not own the publication, as {} does,", quote_identifier(rights->owner.value_or(""))));
  }
  if (!others->empty()) lacks.push_back("does not own " + shortened_list(*others, ", ", kNamedMost));
  if (lacks.empty()) return refused;
  return Status(StatusCode::kRefused,
                fmt::format("role {} {}; hint: {}", quote_identifier(connection.user()), fmt::join(lacks, " and "),
                            way_out(connection, statement, statement.is_new && others->empty())))
      .with_kind(FaultKind::kAuthentication);
}

}  // namespace walcat
