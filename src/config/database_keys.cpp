#include "database_keys.h"

#include <fmt/format.h>

#include <map>

#include "scalars.h"

namespace walcat::config {

namespace {

// PostgreSQL's NAMEDATALEN - 1: a longer name never matches anything.
constexpr std::size_t kLongestName = 63;

Field<DatabaseDraft> conn_str() {
  const std::string expected = "a libpq connection string, such as postgres://user@host:5432/dbname";
  Field<DatabaseDraft> field{"conn_str", true, expected, {}, {}};
  field.read = [expected](const Node& node, const std::string& path, DatabaseDraft& into, Faults& faults) {
    const auto text = text_of(node);
    if (!text || text->empty()) return add_mismatch(node, path, expected, faults);
    auto target = parse_conninfo(*text);
    if (!target.is_ok()) return faults.add(node.place, path, "libpq: " + target.status().message());
    into.options.conn_str = *text;
    into.target = *target;
  };
  field.print = [](const DatabaseDraft& from, const std::string& indent) {
    return indent + "conn_str: " + print_text(masked_conninfo(from.options.conn_str)) + "\n";
  };
  return field;
}

std::optional<TableName> table_of(const Node& node) {
  const auto text = text_of(node);
  auto table = text ? TableName::parse(*text) : std::nullopt;
  const bool fits = table && table->schema.size() <= kLongestName && table->table.size() <= kLongestName;
  return fits ? table : std::nullopt;
}

void read_tables(const Node& node, const std::string& path, DatabaseDraft& into, Faults& faults) {
  if (node.kind != Node::Kind::kList || node.elements.empty()) {
    return add_mismatch(node, path, "a list of schema.table; without the key, all tables are followed", faults);
  }
  std::map<TableName, Place> seen;
  for (std::size_t i = 0; i < node.elements.size(); ++i) {
    const Node& element = node.elements[i];
    const std::string element_path = fmt::format("{}[{}]", path, i);
    const auto table = table_of(element);
    if (element.kind == Node::Kind::kBroken) continue;
    if (!table) {
      add_mismatch(element, element_path, "schema.table; a name with capitals or dots like '\"My.Schema\".orders'",
                   faults);
    } else if (const auto [first, fresh] = seen.emplace(*table, element.place); !fresh) {
      faults.add(
          element.place, element_path,
          fmt::format("{} is already there at {}:{}", table->to_string(), first->second.line, first->second.column));
    } else {
      into.options.tables.push_back(*table);
    }
  }
}

Field<DatabaseDraft> tables() {
  Field<DatabaseDraft> field{"tables", false, "", read_tables, {}};
  field.print = [](const DatabaseDraft& from, const std::string& indent) {
    std::vector<std::string> names;
    names.reserve(from.options.tables.size());
    for (const TableName& table : from.options.tables) names.push_back(print_text(table.to_string()));
    if (names.empty()) return indent + "# no tables: all tables\n";
    return fmt::format("{}tables: [{}]\n", indent, fmt::join(names, ", "));
  };
  return field;
}

const std::vector<Field<DatabaseDraft>>& database_keys() {
  static const std::vector<Field<DatabaseDraft>> keys = {
      conn_str(),
      required(value<DatabaseDraft>("slot_name", slot_name(), WALCAT_MEMBER(options.slot_name))),
      required(
          value<DatabaseDraft>("publication_name", text(1, kLongestName), WALCAT_MEMBER(options.publication_name))),
      tables(),
      value<DatabaseDraft>("name", text(1, 1024), WALCAT_MEMBER(options.label)),
      value<DatabaseDraft>("offset_file", file_path(), WALCAT_MEMBER(options.offset_path)),
  };
  return keys;
}

void read_databases(const Node& node, const std::string& path, Draft& into, Faults& faults) {
  if (node.kind != Node::Kind::kList || node.elements.empty()) {
    return add_mismatch(node, path, "a list with an entry for each database to follow", faults);
  }
  for (std::size_t i = 0; i < node.elements.size(); ++i) {
    into.databases.emplace_back();
    const Node& element = node.elements[i];
    if (element.kind == Node::Kind::kBroken) continue;
    read_fields(database_keys(), element, fmt::format("{}[{}]", path, i), into.databases.back(), faults);
  }
}

// The first line of a list entry carries the dash.
std::string print_database(const DatabaseDraft& database, const std::string& indent) {
  std::string lines = print_fields(database_keys(), database, indent + "    ");
  return lines.replace(indent.size() + 2, 1, "-");
}

}  // namespace

Field<Draft> database_list() {
  Field<Draft> field{"databases", true, "a list with an entry for each database to follow", read_databases, {}};
  field.print = [](const Draft& from, const std::string& indent) {
    std::string lines = indent + "databases:\n";
    for (const DatabaseDraft& database : from.databases) lines += print_database(database, indent);
    return lines;
  };
  return field;
}

}  // namespace walcat::config
