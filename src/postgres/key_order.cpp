#include "walcat/postgres/key_order.h"

#include <fmt/format.h>

#include "walcat/model/table_name.h"

namespace walcat {

namespace {

std::string operand(const KeyColumn& column) {
  std::string text = quote_identifier(column.name);
  if (column.needs_cast) text += "::" + column.compared_as;
  if (!column.collation.empty()) text += " COLLATE " + column.collation;
  return text;
}

// Of the type that the operators take: the functions that check a domain's values are nobody's to run here, and its
// collation is not the index's.
std::string constant(const KeyColumn& column, const std::string& text, const KeyOrder::Quote& quote) {
  const std::string value = quote(text) + "::" + column.compared_as;
  // PostgreSQL 18 fails to estimate how many "char" of an analyzed table lie beyond a constant; a subquery is none.
  return column.compared_as == R"(pg_catalog."char")" ? fmt::format("(SELECT {})", value) : value;
}

std::string comparison(const KeyColumn& column, const std::string& operator_name, const std::string& text,
                       const KeyOrder::Quote& quote) {
  return fmt::format("{} {} {}", operand(column), operator_name, constant(column, text, quote));
}

}  // namespace

std::vector<std::string> KeyOrder::names() const {
  std::vector<std::string> names;
  for (const KeyColumn& column : columns_) names.push_back(column.name);
  return names;
}

std::vector<std::string> KeyOrder::description() const {
  std::vector<std::string> texts;
  for (const KeyColumn& column : columns_) {
    texts.push_back(fmt::format("{} {}{}{} {}", column.name, column.type, column.collation.empty() ? "" : " COLLATE ",
                                column.collation, column.less));
  }
  return texts;
}

std::string KeyOrder::ascending() const { return order_by(&KeyColumn::less); }
std::string KeyOrder::descending() const { return order_by(&KeyColumn::greater); }

std::string KeyOrder::order_by(std::string KeyColumn::* operator_name) const {
  std::string text;
  for (const KeyColumn& column : columns_) {
    text += fmt::format("{}{} USING {}", text.empty() ? "ORDER BY " : ", ", operand(column), column.*operator_name);
  }
  return text;
}

std::string KeyOrder::equal_before(std::size_t end, const Key& key, const Quote& quote) const {
  std::string text;
  for (std::size_t i = 0; i < end; ++i) {
    text += (i == 0 ? "" : " AND ") + comparison(columns_[i], columns_[i].equal, key[i], quote);
  }
  return text;
}

// A comparison of rows would do where all operators have the same name and schema, which those of extensions have not.
std::vector<std::string> KeyOrder::after(const Key& key, const Quote& quote) const {
  std::vector<std::string> runs;
  for (std::size_t last = columns_.size(); last-- > 0;) {
    const std::string same = equal_before(last, key, quote);
    runs.push_back(same + (same.empty() ? "" : " AND ") +
                   comparison(columns_[last], columns_[last].greater, key[last], quote));
  }
  return runs;
}

// The first column's bound is implied by the rest; by itself it bounds the index.
std::string KeyOrder::up_to(const Key& key, const Quote& quote) const {
  const KeyColumn& first = columns_.front();
  std::string text = comparison(first, first.at_most, key.front(), quote);
  if (columns_.size() == 1) return text;
  text += " AND (";
  for (std::size_t last = 0; last < columns_.size(); ++last) {
    const std::string same = equal_before(last, key, quote);
    const bool is_whole = last + 1 == columns_.size();
    const std::string& name = is_whole ? columns_[last].at_most : columns_[last].less;
    text += (last == 0 ? "" : " OR ") + same + (same.empty() ? "" : " AND ");
    text += comparison(columns_[last], name, key[last], quote);
  }
  return text + ")";
}

std::string KeyOrder::any_of(const std::vector<Key>& keys, const Quote& quote) const {
  std::string text;
  for (const Key& key : keys) {
    text += fmt::format("{}({})", text.empty() ? "" : " OR ", equal_before(columns_.size(), key, quote));
  }
  return text;
}

}  // namespace walcat
