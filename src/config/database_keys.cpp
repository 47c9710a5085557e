#include "database_keys.h"

#include "scalars.h"
#include "selection_keys.h"

namespace walcat::config {

namespace {

Field<DatabaseDraft> conn_str() {
  const std::string expected = "a libpq connection string, such as postgres://user@host:5432/dbname";
  Field<DatabaseDraft> field{"conn_str", true, expected, {}, {}};
  field.read = [expected](const Node& node, const std::string& path, DatabaseDraft& into, Faults& faults) {
    const auto text = text_of(node);
    if (!text || text->empty()) return add_mismatch(node, path, expected, faults);
    auto target = parse_conninfo(*text);
    if (!target.is_ok()) return faults.add(node.place, path, target.status().message());
    into.options.conn_str = *text;
    into.target = *target;
  };
  field.print = [](const DatabaseDraft& from, const std::string& indent) {
    return indent + "conn_str: " + print_text(masked_conninfo(from.options.conn_str)) + "\n";
  };
  return field;
}

Field<DatabaseDraft> tables() {
  auto field =
      list<DatabaseDraft>("tables", table_name(), "a list of schema.table; without the key, all tables are followed",
                          EmptyList::kRefused, WALCAT_MEMBER(options.tables));
  field.print = [print = field.print](const DatabaseDraft& from, const std::string& indent) {
    return from.options.tables.empty() ? indent + "# no tables: all tables\n" : print(from, indent);
  };
  return field;
}

Field<DatabaseDraft> on_keyless() {
  auto field = value<DatabaseDraft>("on_keyless", on_keyless_words(), WALCAT_MEMBER(options.on_keyless));
  field.read = [read = field.read](const Node& node, const std::string& path, DatabaseDraft& into, Faults& faults) {
    read(node, path, into, faults);
    into.has_on_keyless = true;
  };
  return field;
}

std::vector<Field<DatabaseDraft>> database_keys() {
  std::vector<Field<DatabaseDraft>> keys = {
      conn_str(),
      required(value<DatabaseDraft>("slot_name", slot_name(), WALCAT_MEMBER(options.slot_name))),
      required(
          value<DatabaseDraft>("publication_name", text(1, kLongestName), WALCAT_MEMBER(options.publication_name))),
      tables(),
      on_keyless(),
      value<DatabaseDraft>("name", text(1, 1024), WALCAT_MEMBER(options.label)),
      value<DatabaseDraft>("offset_file", file_path(), WALCAT_MEMBER(options.offset_path)),
      value<DatabaseDraft>("dead_letter_file", file_path(), WALCAT_MEMBER(options.dead_letter_path)),
  };
  for (auto& key : selection_keys()) keys.push_back(std::move(key));
  return keys;
}

}  // namespace

Codec<OnKeyless> on_keyless_words() {
  return choice<OnKeyless>({{"refuse", OnKeyless::kRefuse}, {"publish", OnKeyless::kPublish}});
}

Field<Draft> database_list() {
  return required(entries<Draft>("databases", database_keys(), "a list with an entry for each database to follow",
                                 WALCAT_MEMBER(databases)));
}

}  // namespace walcat::config
