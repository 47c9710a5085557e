// Reaches what no server sends: answers of any rows and columns, through the shapes that the rooms ask for, and what is
// made of those that fit. Whatever does not fit is refused in words that may stand in a log.
//
// The first line chooses a shape; then each line is a row, its columns apart by tabs, `\N` for null.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_target.h"
#include "postgres/known_types.h"
#include "postgres/member_rows.h"
#include "text_input.h"
#include "walcat/base/utf8.h"
#include "walcat/model/visible_transactions.h"
#include "walcat/postgres/answer.h"
#include "walcat/postgres/server.h"

namespace walcat::test {
namespace {

RawRow columns_of(std::string_view line) {
  RawRow row;
  for (;;) {
    const auto tab = line.find('\t');
    const std::string_view text = line.substr(0, tab);
    row.push_back(text == "\\N" ? std::nullopt : std::optional(text));
    if (tab == std::string_view::npos) return row;
    line.remove_prefix(tab + 1);
  }
}

void check_words(const Status& status) {
  if (status.code() != StatusCode::kProtocolError) finding("another error", status.message());
  const std::string& words = status.message();
  if (with_replacements(words) != words) finding("words that are no UTF-8", words);
  if (words.size() > 2'000) finding("words without end", words);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(words.begin(), words.end(), is_control)) finding("control characters in words", words);
}

// Whether all rows fit. Those of another number of columns come no further than the connection.
bool take(AnswerRows& answer, std::string_view rest) {
  while (!rest.empty()) {
    const RawRow row = columns_of(take_line(rest));
    if (row.size() != answer.columns()) continue;
    const Status fits = answer.take(row);
    if (fits.is_ok()) continue;
    check_words(fits);
    return false;
  }
  return true;
}

int depth_of(const Type* type) {
  int depth = 0;
  for (; type != nullptr; type = type->base ? type->base.get() : type->element.get()) {
    if (type->base != nullptr && type->element != nullptr) finding("a type of two parts");
    ++depth;
  }
  return depth;
}

// The catalog says the same however often it is asked.
void follow_types(const std::vector<KnownTypes::Rows::Row>& rows) {
  std::vector<std::uint32_t> oids;
  for (const auto& row : rows) oids.push_back(std::get<0>(row));
  KnownTypes types(oids);
  while (!types.wanted().empty()) {
    auto said = rows;
    if (const Status added = types.add(said); !added.is_ok()) return check_words(added);
  }
  for (const std::uint32_t oid : types.enums()) types.add_label(oid, "label");
  for (const std::uint32_t oid : oids) {
    const auto type = types.joined(oid);
    if (!type.is_ok()) {
      check_words(type.status());
    } else if (depth_of(type->get()) > 100) {
      finding("types without end");
    }
  }
}

void follow_members(const std::vector<MemberRows::Row>& rows) {
  const auto members = read_members(rows);
  if (!members.is_ok()) return check_words(members.status());
  for (const MemberTable& member : *members) {
    if (member.ancestors.size() > 32) finding("tables above one another without end");
  }
}

void read_texts(const std::vector<std::tuple<std::string>>& rows) {
  std::string history;
  for (const auto& [text] : rows) history += text + '\n';
  std::replace(history.begin(), history.end(), ' ', '\t');
  for (const TimelineSwitch& left : parse_timeline_history(history)) {
    if (left.timeline == 0) finding("timeline 0");
  }
  for (const auto& [text] : rows) {
    const auto visible = VisibleTransactions::parse(text);
    if (!visible) continue;
    if (visible->xmax < visible->xmin) finding("a snapshot that ends before it begins");
    const std::string written = visible->to_string();
    if (VisibleTransactions::parse(written)->to_string() != written) finding("another snapshot", written);
  }
}

template <typename... Columns>
void take_columns(std::string_view rest) {
  TypedRows<Columns...> answer;
  if (!take(answer, rest)) return;
  const std::size_t rows = answer.rows().size();
  if (answer.at_most_one().is_ok() != (rows <= 1)) finding("rows are counted wrongly");
  const auto one = answer.exactly_one();
  if (one.is_ok() != (rows == 1)) finding("a row is counted wrongly");
  if (!one.is_ok()) check_words(one.status());
}

void take_positions(std::string_view rest) {
  TypedRows<Lsn, std::optional<Lsn>> answer;
  if (!take(answer, rest)) return;
  for (const auto& [position, other] : answer.rows()) {
    if (Lsn::parse(position.to_string()) != position) finding("another position", position.to_string());
  }
}

}  // namespace
}  // namespace walcat::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace walcat;
  using namespace walcat::test;
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  Choices choices(take_line(rest));
  switch (choices.next(7)) {
    case 0: take_columns<std::string, std::uint32_t, Lsn, std::optional<std::string>>(rest); break;
    case 1: take_columns<bool, char, std::int16_t, std::optional<bool>, std::optional<char>>(rest); break;
    case 2: take_columns<std::uint64_t, std::int64_t, double, std::optional<std::uint64_t>>(rest); break;
    case 3: {
      KnownTypes::Rows answer;
      if (take(answer, rest)) follow_types(answer.rows());
      break;
    }
    case 4: {
      MemberRows answer;
      if (take(answer, rest)) follow_members(answer.rows());
      break;
    }
    case 5: {
      TypedRows<std::string> answer;
      if (take(answer, rest)) read_texts(answer.rows());
      break;
    }
    default: take_positions(rest); break;
  }
  return 0;
}
