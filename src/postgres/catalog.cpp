#include "walcat/postgres/catalog.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "known_types.h"
#include "table_keys.h"

namespace walcat {

namespace {

constexpr const char* kTypes = "types of columns";

Status read_types(Connection& connection, KnownTypes& types) {
  while (!types.wanted().empty()) {
    KnownTypes::Rows answer;
    const Question question{
        kTypes,
        fmt::format(
            "SELECT t.oid, n.nspname, t.typname, t.typtype, t.typbasetype, t.typtypmod, CASE WHEN "
            "t.typcategory = 'A' THEN t.typelem ELSE 0 END, COALESCE(e.typdelim, ',') FROM pg_catalog.pg_type t "
            "JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_catalog.pg_type e ON e.oid = "
            "t.typelem WHERE t.oid IN ({})",
            fmt::join(types.wanted(), ", "))};
    if (Status fits = connection.ask(question, answer); !fits.is_ok()) return fits;
    if (Status ends = types.add(answer.rows()); !ends.is_ok()) return ends.with_context(kTypes);
  }
  return Status::ok();
}

Status read_labels(Connection& connection, KnownTypes& types) {
  const auto enums = types.enums();
  if (enums.empty()) return Status::ok();
  auto rows = connection.query<std::uint32_t, std::string>(
      {"labels of enums",
       fmt::format("SELECT enumtypid, enumlabel FROM pg_catalog.pg_enum WHERE enumtypid IN ({}) ORDER BY enumtypid, "
                   "enumsortorder",
                   fmt::join(enums, ", "))});
  if (!rows.is_ok()) return rows.status();
  for (auto& [oid, label] : *rows) types.add_label(oid, std::move(label));
  return Status::ok();
}

// In the key's order.
std::string key_query(std::uint32_t relation_oid, int server_version) {
  return fmt::format(
      "SELECT a.attname FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) "
      "WITH ORDINALITY AS k(attnum, position) JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = "
      "k.attnum WHERE k.position <= {} AND i.indexrelid = {} ORDER BY k.position",
      key_size("i", server_version), key_index(std::to_string(relation_oid), KeyHolds::kAlways, server_version));
}

}  // namespace

Result<std::shared_ptr<const RelationNote>> describe_relation(Connection& connection, std::uint32_t relation_oid,
                                                              const std::vector<std::uint32_t>& type_oids) {
  KnownTypes types(type_oids);
  if (const Status read = read_types(connection, types); !read.is_ok()) return read;
  if (const Status read = read_labels(connection, types); !read.is_ok()) return read;
  auto columns = connection.query<std::string, bool>(
      {fmt::format("columns of the table with OID {}", relation_oid),
       fmt::format("SELECT attname, attnotnull FROM pg_catalog.pg_attribute WHERE attrelid = {} AND attnum > 0 "
                   "AND NOT attisdropped ORDER BY attnum",
                   relation_oid)});
  if (!columns.is_ok()) return columns.status();
  auto key = connection.query<std::string>({fmt::format("the key of the table with OID {}", relation_oid),
                                            key_query(relation_oid, connection.server_version())});
  if (!key.is_ok()) return key.status();

  auto note = std::make_shared<RelationNote>();
  note->relation_oid = relation_oid;
  for (auto& [name, not_null] : *columns) note->columns.push_back({std::move(name), not_null});
  for (auto& [name] : *key) note->key.push_back(std::move(name));
  for (const std::uint32_t oid : std::set(type_oids.begin(), type_oids.end())) {
    auto type = types.joined(oid);
    if (!type.is_ok()) return type.status().with_context(kTypes);
    if (*type != nullptr) note->types.emplace(oid, std::move(*type));
  }
  return std::shared_ptr<const RelationNote>(std::move(note));
}

Result<std::set<std::pair<std::uint32_t, std::int16_t>>> columns_of(Connection& connection,
                                                                    const std::vector<std::uint32_t>& tables) {
  std::set<std::pair<std::uint32_t, std::int16_t>> columns;
  const auto rows = connection.query<std::uint32_t, std::int16_t>(
      {"columns of tables",
       fmt::format("SELECT a.attrelid, a.attnum FROM pg_catalog.pg_attribute a WHERE a.attrelid = ANY "
                   "('{{{}}}'::oid[]) AND a.attnum > 0 AND NOT a.attisdropped",
                   fmt::join(tables, ","))});
  if (!rows.is_ok()) return rows.status();
  for (const auto& [table, number] : *rows) columns.emplace(table, number);
  return columns;
}

Result<std::map<std::uint32_t, std::vector<std::string>>> keys_of(Connection& connection,
                                                                  const std::vector<std::uint32_t>& relation_oids) {
  std::map<std::uint32_t, std::vector<std::string>> keys;
  if (relation_oids.empty()) return keys;
  const int version = connection.server_version();
  auto rows = connection.query<std::uint32_t, std::string>(
      {"keys of tables",
       fmt::format("SELECT c.oid, a.attname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = {} "
                   "CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k(attnum, "
                   "position) JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE c.oid "
                   "IN ({}) AND k.position <= {} ORDER BY c.oid, k.position",
                   key_index("c.oid", KeyHolds::kAlways, version), fmt::join(relation_oids, ", "),
                   key_size("i", version))});
  if (!rows.is_ok()) return rows.status();
  for (auto& [oid, name] : *rows) keys[oid].push_back(std::move(name));
  return keys;
}

}  // namespace walcat
