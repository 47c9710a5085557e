#include "walcat/postgres/catalog.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "table_keys.h"

namespace walcat {

namespace {

template <typename T>
T to_number(const std::optional<std::string>& text) {
  T number{};
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

// Follows types that are not built in down to what they are made of.
class TypeLookup {
 public:
  explicit TypeLookup(Connection& connection) : connection_(connection) {}

  Status find(const std::vector<std::uint32_t>& oids) {
    std::set<std::uint32_t> wanted;
    for (const std::uint32_t oid : oids) want(oid, wanted);
    while (!wanted.empty()) {
      std::set<std::uint32_t> next;
      if (const Status read = read_types(wanted, next); !read.is_ok()) return read;
      wanted = std::move(next);
    }
    return read_labels();
  }

  // The description, its parts joined to it; null for built-in and vanished types.
  std::shared_ptr<const Type> joined(std::uint32_t oid) {
    const auto found = types_.find(oid);
    if (found == types_.end()) return nullptr;
    Type type = found->second;
    if (type.base_oid != 0) type.base = joined(type.base_oid);
    if (type.element_oid != 0) type.element = joined(type.element_oid);
    return std::make_shared<const Type>(std::move(type));
  }

 private:
  void want(std::uint32_t oid, std::set<std::uint32_t>& wanted) const {
    if (oid >= kFirstUserOid && !types_.contains(oid)) wanted.insert(oid);
  }

  Status read_types(const std::set<std::uint32_t>& oids, std::set<std::uint32_t>& next) {
    auto rows = connection_.query(fmt::format(
        "SELECT t.oid, n.nspname, t.typname, t.typtype, t.typbasetype, t.typtypmod, CASE WHEN t.typcategory = 'A' THEN "
        "t.typelem ELSE 0 END, COALESCE(e.typdelim, ',') FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON "
        "n.oid = t.typnamespace LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem WHERE t.oid IN ({})",
        fmt::join(oids, ", ")));
    if (!rows.is_ok()) return rows.status();
    for (const Row& row : *rows) {
      Type type;
      type.oid = to_number<std::uint32_t>(row[0]);
      type.schema = row[1].value_or("");
      type.name = row[2].value_or("");
      type.kind = static_cast<TypeKind>(row[3].value_or("b").front());
      type.base_oid = to_number<std::uint32_t>(row[4]);
      type.base_modifier = to_number<std::int32_t>(row[5]);
      type.element_oid = to_number<std::uint32_t>(row[6]);
      type.delimiter = row[7].value_or(",").front();
      types_.emplace(type.oid, std::move(type));
    }
    for (const std::uint32_t oid : oids) {
      const auto found = types_.find(oid);
      if (found == types_.end()) continue;
      want(found->second.base_oid, next);
      want(found->second.element_oid, next);
    }
    return Status::ok();
  }

  Status read_labels() {
    std::vector<std::uint32_t> enums;
    for (const auto& [oid, type] : types_) {
      if (type.kind == TypeKind::kEnum) enums.push_back(oid);
    }
    if (enums.empty()) return Status::ok();
    auto rows = connection_.query(
        fmt::format("SELECT enumtypid, enumlabel FROM pg_catalog.pg_enum WHERE enumtypid IN ({}) ORDER BY enumtypid, "
                    "enumsortorder",
                    fmt::join(enums, ", ")));
    if (!rows.is_ok()) return rows.status();
    for (const Row& row : *rows) types_[to_number<std::uint32_t>(row[0])].labels.push_back(row[1].value_or(""));
    return Status::ok();
  }

  Connection& connection_;
  std::map<std::uint32_t, Type> types_;
};

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
  TypeLookup types(connection);
  if (const Status found = types.find(type_oids); !found.is_ok()) return found;
  auto columns = connection.query(
      fmt::format("SELECT attname, attnotnull FROM pg_catalog.pg_attribute WHERE attrelid = {} AND attnum > 0 "
                  "AND NOT attisdropped ORDER BY attnum",
                  relation_oid));
  if (!columns.is_ok()) return columns.status();
  auto key = connection.query(key_query(relation_oid, connection.server_version()));
  if (!key.is_ok()) return key.status();

  auto note = std::make_shared<RelationNote>();
  note->relation_oid = relation_oid;
  for (const Row& row : *columns) note->columns.push_back({row[0].value_or(""), row[1] == "t"});
  for (const Row& row : *key) note->key.push_back(row[0].value_or(""));
  for (const std::uint32_t oid : std::set(type_oids.begin(), type_oids.end())) {
    if (auto type = types.joined(oid)) note->types.emplace(oid, std::move(type));
  }
  return std::shared_ptr<const RelationNote>(std::move(note));
}

Result<std::set<std::pair<std::uint32_t, std::int16_t>>> columns_of(Connection& connection,
                                                                    const std::vector<std::uint32_t>& tables) {
  std::set<std::pair<std::uint32_t, std::int16_t>> columns;
  const auto rows = connection.query(
      fmt::format("SELECT a.attrelid, a.attnum FROM pg_catalog.pg_attribute a WHERE a.attrelid = ANY ('{{{}}}'::oid[]) "
                  "AND a.attnum > 0 AND NOT a.attisdropped",
                  fmt::join(tables, ",")));
  if (!rows.is_ok()) return rows.status();
  for (const Row& row : *rows) columns.emplace(to_number<std::uint32_t>(row[0]), to_number<std::int16_t>(row[1]));
  return columns;
}

Result<std::map<std::uint32_t, std::vector<std::string>>> keys_of(Connection& connection,
                                                                  const std::vector<std::uint32_t>& relation_oids) {
  std::map<std::uint32_t, std::vector<std::string>> keys;
  if (relation_oids.empty()) return keys;
  const int version = connection.server_version();
  const auto rows = connection.query(fmt::format(
      "SELECT c.oid, a.attname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i ON i.indexrelid = {} CROSS JOIN "
      "LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY AS k(attnum, position) JOIN "
      "pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE c.oid IN ({}) AND k.position <= "
      "{} "
      "ORDER BY c.oid, k.position",
      key_index("c.oid", KeyHolds::kAlways, version), fmt::join(relation_oids, ", "), key_size("i", version)));
  if (!rows.is_ok()) return rows.status();
  for (const Row& row : *rows) keys[to_number<std::uint32_t>(row[0])].push_back(row[1].value_or(""));
  return keys;
}

}  // namespace walcat
