#include "table_keys.h"

#include <fmt/format.h>

namespace walcat {

namespace {

// From 18 on a column may be NOT NULL for new rows alone.
std::string is_never_null(std::string_view column, int server_version) {
  if (server_version < 180000) return fmt::format("{}.attnotnull", column);
  return fmt::format(
      "{0}.attnotnull AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint n WHERE n.conrelid = {0}.attrelid AND "
      "n.contype = 'n' AND {0}.attnum = ANY (n.conkey) AND NOT n.convalidated)",
      column);
}

}  // namespace

std::string key_size(std::string_view index, int server_version) {
  return fmt::format("{}.{}", index, server_version >= 110000 ? "indnkeyatts" : "indnatts");
}

std::string is_identity(std::string_view index, std::string_view table) {
  return fmt::format(
      "({0}.indisvalid AND {0}.indimmediate AND CASE {1}.relreplident WHEN 'd' THEN {0}.indisprimary WHEN 'i' THEN "
      "{0}.indisreplident ELSE false END)",
      index, table);
}

std::string key_index(std::string_view table, KeyHolds holds, int server_version) {
  return fmt::format(
      "(SELECT u.indexrelid FROM pg_catalog.pg_index u WHERE u.indrelid = {0} AND u.indisunique AND u.indisvalid{1} "
      "AND u.indpred IS NULL AND u.indexprs IS NULL AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute m WHERE "
      "m.attrelid = u.indrelid AND m.attnum = ANY ((u.indkey::pg_catalog.int2[])[0:{2} - 1]) AND NOT ({3})) ORDER BY "
      "u.indisreplident DESC, u.indisprimary DESC, u.indexrelid LIMIT 1)",
      table, holds == KeyHolds::kAlways ? " AND u.indimmediate" : "", key_size("u", server_version),
      is_never_null("m", server_version));
}

}  // namespace walcat
