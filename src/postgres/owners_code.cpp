#include "walcat/postgres/owners_code.h"

#include <fmt/format.h>

#include "value_settings.h"

namespace walcat {

namespace {

constexpr const char* kReturn = "ROLLBACK TO SAVEPOINT before_owners_code";

// They are the session's, and stay when a transaction ends.
Status release_locks(Connection& connection) {
  return connection.execute("SELECT pg_catalog.pg_advisory_unlock_all()");
}

}  // namespace

Status begin_owners_code(Connection& connection) { return connection.execute("SAVEPOINT before_owners_code"); }

Status undo_owners_code(Connection& connection) {
  const Status released = release_locks(connection);
  return released.is_ok() ? connection.execute(kReturn) : released;
}

Status undo_failed_owners_code(Connection& connection) {
  const Status returned = connection.execute(kReturn);
  return returned.is_ok() ? release_locks(connection) : returned;
}

// A subquery that refers to no table is run once, before the first row.
std::string values_print_as_pinned() {
  std::string set;
  for (const auto& [name, value] : kValueSettings) {
    set +=
        fmt::format("{}pg_catalog.set_config('{}', '{}', true) IS NOT NULL", set.empty() ? "" : " AND ", name, value);
  }
  return "(SELECT " + set + ")";
}

// COPY looks at the encoding when it has planned.
std::string pinned_encoding(const Connection& connection) {
  return fmt::format(" (ENCODING '{}')", connection.server_encoding() == "SQL_ASCII" ? "SQL_ASCII" : "UTF8");
}

Status end_snapshot(Connection& connection) {
  const Status released = release_locks(connection);
  return released.is_ok() ? connection.execute("ROLLBACK") : released;
}

}  // namespace walcat
