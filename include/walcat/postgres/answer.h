#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/model/visible_transactions.h"

namespace walcat {

/// What an answer may take of memory, in bytes: its values, and the rows around them. A catalog of a million columns
/// takes half of it.
inline constexpr std::size_t kAnswerBytesMost = std::size_t{256} << 20;

/// Whether a statement may have to wait for what others hold: locks, or their transactions. Then nobody knows how long.
enum class Wait { kBriefly, kForOthers };

/// A statement that returns rows.
struct Question {
  /// What is asked for, for complaints about the answer: `slot s1`, `tables of publication p`.
  std::string subject;
  std::string sql;
  Wait wait = Wait::kBriefly;
  /// Texts for `$1` and so on, which do not show in pg_stat_activity; not where the connection is to carry a stream.
  std::vector<std::string> parameters = {};
};

/// A row as it came: texts, null is nullopt. The texts live as long as the answer that they stand in.
using RawRow = std::vector<std::optional<std::string_view>>;

/// How a column's text is read. `read` takes the whole of the text or refuses it; `expected` names what it takes.
template <typename T>
struct AnswerColumn;

template <>
struct AnswerColumn<std::string> {
  static std::string expected() { return "a text"; }
  static bool read(std::string_view text, std::string& to) {
    to = text;
    return true;
  }
};

template <>
struct AnswerColumn<bool> {
  static std::string expected() { return "t or f"; }
  static bool read(std::string_view text, bool& to) {
    to = text == "t";
    return to || text == "f";
  }
};

/// The type "char" of catalogs.
template <>
struct AnswerColumn<char> {
  static std::string expected() { return "one character"; }
  static bool read(std::string_view text, char& to) {
    if (text.size() != 1) return false;
    to = text.front();
    return true;
  }
};

template <>
struct AnswerColumn<Lsn> {
  static std::string expected() { return "a position such as 0/15E4C58"; }
  static bool read(std::string_view text, Lsn& to) {
    const auto position = Lsn::parse(text);
    if (position) to = *position;
    return position.has_value();
  }
};

template <>
struct AnswerColumn<VisibleTransactions> {
  static std::string expected() { return "a snapshot such as 750:755:751,753"; }
  static bool read(std::string_view text, VisibleTransactions& to) {
    auto visible = VisibleTransactions::parse(text);
    if (visible) to = std::move(*visible);
    return visible.has_value();
  }
};

template <typename T>
  requires std::integral<T> || std::floating_point<T>
struct AnswerColumn<T> {
  static std::string expected() {
    if constexpr (std::floating_point<T>) {
      return "a number";
    } else {
      return "a whole number from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
             std::to_string(std::numeric_limits<T>::max());
    }
  }
  static bool read(std::string_view text, T& to) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
    if (error != std::errc{} || end != text.data() + text.size()) return false;
    if constexpr (std::floating_point<T>) return std::isfinite(to);
    return true;
  }
};

/// A column that may be null.
template <typename T>
struct AnswerColumn<std::optional<T>> {
  static std::string expected() { return AnswerColumn<T>::expected() + " or null"; }
};

template <typename T>
bool read_column(const std::optional<std::string_view>& text, T& to) {
  return text && AnswerColumn<T>::read(*text, to);
}
template <typename T>
bool read_column(const std::optional<std::string_view>& text, std::optional<T>& to) {
  return !text || AnswerColumn<T>::read(*text, to.emplace());
}

/// The status for an answer that is not what was asked for: kProtocolError, with `what` and a reason.
Status misfit(const std::string& what);
Status misfit_value(std::size_t row, std::size_t column, const std::optional<std::string_view>& seen,
                    const std::string& expected);

/// Where the rows of an answer go, one by one as they arrive.
class AnswerRows {
 public:
  virtual ~AnswerRows() = default;
  /// How many columns each row has.
  virtual std::size_t columns() const = 0;
  /// What a row takes beside its texts, in bytes.
  virtual std::size_t row_bytes() const = 0;
  /// `row` has columns() columns. Errors: kProtocolError if it does not fit.
  virtual Status take(const RawRow& row) = 0;
};

/// Rows whose columns have these types. An answer that has arrived here fits: there is no row too few, no column too
/// many, no null that was not expected, and no number that is none.
template <typename... Columns>
class TypedRows final : public AnswerRows {
 public:
  using Row = std::tuple<Columns...>;

  /// `most`: rows beyond so many are refused as they come.
  explicit TypedRows(std::size_t most = std::numeric_limits<std::size_t>::max()) : most_(most) {}

  std::size_t columns() const override { return sizeof...(Columns); }
  std::size_t row_bytes() const override { return sizeof(Row); }
  Status take(const RawRow& row) override { return take(row, std::index_sequence_for<Columns...>{}); }

  std::vector<Row>& rows() { return rows_; }
  /// Errors: kProtocolError for more than one.
  Result<std::optional<Row>> at_most_one() {
    if (rows_.size() > 1) return misfit("it has " + std::to_string(rows_.size()) + " rows, not one or none");
    return rows_.empty() ? std::optional<Row>() : std::optional<Row>(std::move(rows_.front()));
  }
  /// Errors: kProtocolError for none, or for more than one.
  Result<Row> exactly_one() {
    if (rows_.size() != 1) return misfit("it has " + std::to_string(rows_.size()) + " rows, not one");
    return std::move(rows_.front());
  }

 private:
  template <std::size_t... I>
  Status take(const RawRow& row, std::index_sequence<I...>) {
    if (rows_.size() == most_) return misfit("it has more rows than " + std::to_string(most_));
    Row& read = rows_.emplace_back();
    Status fits;
    static_cast<void>(((read_column(row[I], std::get<I>(read)) ||
                        (fits = misfit_value(rows_.size(), I + 1, row[I], AnswerColumn<Columns>::expected()), false)) &&
                       ...));
    return fits;
  }

  const std::size_t most_;
  std::vector<Row> rows_;
};

/// Rows of texts, none of which is null, where only the question knows how many columns there are.
class TextRows final : public AnswerRows {
 public:
  using Row = std::vector<std::string>;

  explicit TextRows(std::size_t columns) : columns_(columns) {}

  std::size_t columns() const override { return columns_; }
  std::size_t row_bytes() const override { return sizeof(Row) + columns_ * sizeof(std::string); }
  Status take(const RawRow& row) override;

  /// Errors: kProtocolError for more than one.
  Result<std::optional<Row>> at_most_one();

 private:
  const std::size_t columns_;
  std::vector<Row> rows_;
};

}  // namespace walcat
