#include "walcat/postgres/answer.h"

#include <fmt/format.h>

#include "walcat/base/printable.h"

namespace walcat {

namespace {

constexpr std::size_t kShownMost = 100;

}  // namespace

Status misfit(const std::string& what) {
  return Status(StatusCode::kProtocolError, fmt::format("the server's answer does not fit the question: {}", what))
      .with_kind(FaultKind::kProtocol);
}

Status misfit_value(std::size_t row, std::size_t column, const std::optional<std::string_view>& seen,
                    const std::string& expected) {
  return misfit(fmt::format("row {}, column {} is {}, not {}", row, column,
                            seen ? fmt::format("\"{}\"", printable(*seen, kShownMost)) : "null", expected));
}

Status TextRows::take(const RawRow& row) {
  if (!rows_.empty()) return misfit("it has more rows than 1");
  Row& read = rows_.emplace_back();
  for (const auto& text : row) {
    if (!text) return misfit_value(rows_.size(), read.size() + 1, text, AnswerColumn<std::string>::expected());
    read.emplace_back(*text);
  }
  return Status::ok();
}

Result<std::optional<TextRows::Row>> TextRows::at_most_one() {
  if (rows_.size() > 1) return misfit(fmt::format("it has {} rows, not one or none", rows_.size()));
  return rows_.empty() ? std::optional<Row>() : std::optional(std::move(rows_.front()));
}

}  // namespace walcat
