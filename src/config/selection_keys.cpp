#include "selection_keys.h"

#include <fmt/format.h>

#include "scalars.h"

namespace walcat::config {

namespace {

using MaskRule = SelectionOptions::MaskRule;
using TruncateRule = SelectionOptions::TruncateRule;
using HashRule = SelectionOptions::HashRule;

constexpr std::size_t kLongestText = 1024;
// Above the longest value that PostgreSQL holds.
constexpr std::uint64_t kMostCharacters = 1 << 30;

Codec<std::string> pattern() {
  Codec<std::string> codec = text(1, kLongestText);
  codec.expected = "a regular expression over whole names (public\\.orders, .*\\.password), of 1 to 1024 bytes";
  return checked<std::string>(codec, [](const std::string& text) {
    const Status status = check_pattern(text);
    return status.is_ok() ? "" : "not a regular expression (RE2): " + status.message();
  });
}

template <typename Member>
Field<DatabaseDraft> patterns(const std::string& name, Member member) {
  return list<DatabaseDraft>(name, pattern(), "a list of regular expressions; without the key, there are none",
                             EmptyList::kRefused, member);
}

template <typename Rule>
Field<Rule> columns() {
  return required(value<Rule>("columns", pattern(), WALCAT_MEMBER(columns)));
}

Field<DatabaseDraft> mask_columns() {
  const std::vector<Field<MaskRule>> keys = {
      columns<MaskRule>(),
      value<MaskRule>("with", text(0, kLongestText), WALCAT_MEMBER(with)),
  };
  return entries<DatabaseDraft>("mask_columns", keys, "a list of {columns, with}",
                                WALCAT_MEMBER(options.selection.mask_columns));
}

Field<DatabaseDraft> truncate_columns() {
  const std::vector<Field<TruncateRule>> keys = {
      columns<TruncateRule>(),
      required(value<TruncateRule>("length", count<std::size_t>(0, kMostCharacters), WALCAT_MEMBER(length))),
  };
  return entries<DatabaseDraft>("truncate_columns", keys, "a list of {columns, length}",
                                WALCAT_MEMBER(options.selection.truncate_columns));
}

Field<DatabaseDraft> hash_columns() {
  using Digest = ColumnRule::Digest;
  const std::vector<Field<HashRule>> keys = {
      columns<HashRule>(),
      value<HashRule>("algorithm",
                      choice<Digest>({{"sha256", Digest::kSha256}, {"sha512", Digest::kSha512}, {"md5", Digest::kMd5}}),
                      WALCAT_MEMBER(algorithm)),
      required(value<HashRule>("salt", secret(1, kLongestText), WALCAT_MEMBER(salt))),
  };
  return entries<DatabaseDraft>("hash_columns", keys, "a list of {columns, algorithm, salt}",
                                WALCAT_MEMBER(options.selection.hash_columns));
}

constexpr auto kKeyExpected = "a mapping of schema.table to the list of its key columns, such as {public.orders: [id]}";

// The key of `member` as a value, for the codec of tables and for faults.
Node table_node(const Member& member) {
  Node node;
  node.kind = Node::Kind::kScalar;
  node.style = Node::Style::kQuoted;
  node.place = member.place;
  node.text = member.key;
  return node;
}

void read_key(const Member& member, const std::string& path, std::vector<std::string>& columns, Faults& faults) {
  const Node& node = member.value;
  if (node.kind == Node::Kind::kBroken) return;
  if (node.kind != Node::Kind::kList || node.elements.empty()) {
    return add_mismatch(node, path, "a list of at least one column, in the key's order", faults);
  }
  read_list(text(1, kLongestName), node, path, columns, faults);
}

void read_key_columns(const Node& node, const std::string& path, DatabaseDraft& into, Faults& faults) {
  if (node.kind != Node::Kind::kMap || node.members.empty()) return add_mismatch(node, path, kKeyExpected, faults);
  std::map<TableName, Place> seen;
  for (const Member& member : node.members) {
    const std::string key_path = below(path, member.key);
    const auto table = table_name().read(table_node(member));
    if (!table) {
      add_unread(table_name(), table_node(member), path, faults);
    } else if (const auto [first, fresh] = seen.emplace(*table, member.place); !fresh) {
      add_repeated(table_node(member), first->second, key_path, table->to_string(), faults);
    } else {
      read_key(member, key_path, into.options.selection.key_columns[*table], faults);
    }
  }
}

Field<DatabaseDraft> key_columns() {
  Field<DatabaseDraft> field{"key_columns", false, kKeyExpected, read_key_columns, {}};
  field.print = [](const DatabaseDraft& from, const std::string& indent) {
    const auto& keys = from.options.selection.key_columns;
    std::string lines = keys.empty() ? "" : indent + "key_columns:\n";
    for (const auto& [table, columns] : keys) {
      lines +=
          fmt::format("{}  {}: {}\n", indent, table_name().print(table), print_list(text(1, kLongestName), columns));
    }
    return lines;
  };
  return field;
}

}  // namespace

std::vector<Field<DatabaseDraft>> selection_keys() {
  return {
      patterns("include_tables", WALCAT_MEMBER(options.selection.include_tables)),
      patterns("exclude_tables", WALCAT_MEMBER(options.selection.exclude_tables)),
      patterns("include_columns", WALCAT_MEMBER(options.selection.include_columns)),
      patterns("exclude_columns", WALCAT_MEMBER(options.selection.exclude_columns)),
      mask_columns(),
      truncate_columns(),
      hash_columns(),
      key_columns(),
      value<DatabaseDraft>("skip_unchanged", boolean(), WALCAT_MEMBER(options.selection.skip_unchanged)),
  };
}

}  // namespace walcat::config
