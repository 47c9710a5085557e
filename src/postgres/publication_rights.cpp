#include "publication_rights.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

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

struct OthersTables {
  std::vector<std::string> names;
  std::set<std::string> owners;
};

// Those of `tables` whose owner the role neither is nor can act as.
Result<OthersTables> tables_of_others(Connection& connection, const std::vector<TableName>& tables) {
  OthersTables others;
  if (tables.empty()) return others;
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const TableName& table : tables) {
    names.push_back(fmt::format("({}, {})", connection.literal(table.schema), connection.literal(table.table)));
  }
  const auto rows = connection.query<std::string, std::string, std::string>(
      {"owners of tables",
       fmt::format("SELECT n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner) FROM (VALUES {}) AS "
                   "named(schemaname, tablename) JOIN pg_catalog.pg_namespace n ON n.nspname = named.schemaname JOIN "
                   "pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = named.tablename WHERE NOT "
                   "pg_catalog.pg_has_role(c.relowner, 'USAGE') ORDER BY 1, 2",
                   fmt::join(names, ", "))});
  if (!rows.is_ok()) return rows.status();
  for (const auto& [schema, table, owner] : *rows) {
    others.names.push_back(TableName{schema, table}.to_string());
    others.owners.insert(owner);
  }
  return others;
}

// Who could run the statement. That an owner of tables may make publications in this database is for others to know.
std::string way_out(Connection& connection, const PublicationStatement& statement, const Rights& rights,
                    const OthersTables& others) {
  const std::string sql = statement.sql(kInStatementMost);
  if (statement.tables.empty()) return fmt::format("as a superuser: {}; or list in `tables` what to follow", sql);
  std::set<std::string> owners = others.owners;
  if (!statement.is_new && !rights.is_owner) owners.insert(rights.owner.value_or(""));
  if (owners.empty()) {
    return fmt::format("GRANT CREATE ON DATABASE {} TO {}; or as a superuser: {};",
                       quote_identifier(connection.database()), quote_identifier(connection.user()), sql);
  }
  return fmt::format("as {}a superuser: {};",
                     owners.size() == 1 ? quote_identifier(*owners.begin()) + " or " : std::string(), sql);
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
  if (!others->names.empty()) {
    lacks.push_back("does not own " + shortened_list(others->names, ", ", kNamedMost));
  }
  if (lacks.empty()) return refused;
  return Status(StatusCode::kRefused,
                fmt::format("role {} {}; hint: {}", quote_identifier(connection.user()), fmt::join(lacks, " and "),
                            way_out(connection, statement, *rights, *others)))
      .with_kind(FaultKind::kAuthentication);
}

}  // namespace walcat
