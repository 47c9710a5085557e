// Rows of COPY's text form: fields, nulls, and what stands behind backslashes.

#include "decoder/copy_row.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "walcat/model/byte_buffer.h"

namespace walcat::test {
namespace {

// Nothing: NULL.
using Field = std::optional<std::string>;
using Fields = std::vector<Field>;
const Field kNone;

// Nothing: the row does not have so many fields. `before`: bytes that stand ahead of it. What stands ahead and behind
// are specials all over, which are none of the row's business.
std::optional<Fields> split(std::string_view row, std::size_t columns, std::size_t before = 4) {
  ByteBuffer bytes(before + row.size());
  bytes.append(std::string(before, '\\'));
  bytes.append(row);
  char* const behind = bytes.end();
  for (std::size_t i = 0; i < ByteBuffer::kSlack; ++i) behind[i] = "\\\tN"[i % 3];
  std::vector<Cell> cells(columns);
  const bool is_whole = split_copy_row(bytes.data() + before, row.size(), bytes.data(), cells.data(), columns);
  EXPECT_EQ(std::count(bytes.data(), bytes.data() + before, '\\'), static_cast<std::ptrdiff_t>(before));
  for (std::size_t i = 0; i < ByteBuffer::kSlack; ++i) EXPECT_EQ(behind[i], "\\\tN"[i % 3]) << i << " behind the row";
  if (!is_whole) return std::nullopt;
  Fields fields;
  for (const Cell& cell : cells) {
    if (cell.size == Cell::kNull) {
      fields.emplace_back();
      continue;
    }
    EXPECT_GE(cell.size, 0);
    EXPECT_GE(cell.offset, before);
    EXPECT_LE(cell.offset + static_cast<std::size_t>(cell.size), bytes.size()) << "a field that leaves its row";
    fields.emplace_back(std::string(bytes.data() + cell.offset, static_cast<std::size_t>(cell.size)));
  }
  return fields;
}

std::optional<std::string> only_field(std::string_view row) {
  const auto fields = split(row, 1);
  return fields ? fields->front() : std::string("no row");
}

TEST(CopyRow, SplitsFieldsAtTabs) {
  EXPECT_EQ(split("1\tone\t2026-01-31", 3), (Fields{"1", "one", "2026-01-31"}));
  EXPECT_EQ(split("alone", 1), Fields{"alone"});
}

TEST(CopyRow, TakesEveryEscapeThatTheServerWrites) {
  const std::pair<std::string, std::string> kEscapes[] = {{"\\b", "\b"}, {"\\f", "\f"}, {"\\n", "\n"}, {"\\r", "\r"},
                                                          {"\\t", "\t"}, {"\\v", "\v"}, {"\\\\", "\\"}};
  for (const auto& [escaped, plain] : kEscapes) {
    SCOPED_TRACE(escaped);
    EXPECT_EQ(only_field(escaped), plain);
    EXPECT_EQ(only_field(escaped + "end"), plain + "end");
    EXPECT_EQ(only_field("begin" + escaped), "begin" + plain);
    EXPECT_EQ(only_field("in" + escaped + "side"), "in" + plain + "side");
    EXPECT_EQ(only_field(escaped + escaped + "x" + escaped), plain + plain + "x" + plain);
    EXPECT_EQ(split(escaped + "\t" + escaped + "m" + escaped + "\tl" + escaped, 3),
              (Fields{plain, plain + "m" + plain, "l" + plain}));
  }
  EXPECT_EQ(only_field("\\b\\f\\n\\r\\t\\v\\\\"), "\b\f\n\r\t\v\\");
}

TEST(CopyRow, TakesAnyOtherLetterBehindABackslashForItself) {
  EXPECT_EQ(only_field("\\a\\x41\\101\\.\\'"), "ax41101.'");
  EXPECT_EQ(only_field(std::string("\\\0\\\xFF", 4)), std::string("\0\xFF", 2));
}

TEST(CopyRow, TellsNullFromTextThatLooksLikeIt) {
  EXPECT_EQ(split("\\N", 1), Fields{kNone});
  EXPECT_EQ(split("\\N\tb\tc", 3), (Fields{kNone, "b", "c"}));
  EXPECT_EQ(split("a\t\\N\tc", 3), (Fields{"a", kNone, "c"}));
  EXPECT_EQ(split("a\tb\t\\N", 3), (Fields{"a", "b", kNone}));
  EXPECT_EQ(split("\\N\t\\N\t\\N", 3), (Fields{kNone, kNone, kNone}));
  EXPECT_EQ(split("\\N\t\t\\N", 3), (Fields{kNone, "", kNone}));
  // The text \N, which the server writes with two backslashes, and text that holds it.
  EXPECT_EQ(split("\\\\N", 1), Fields{"\\N"});
  EXPECT_EQ(split("\\\\N\t\\\\N\t\\\\N", 3), (Fields{"\\N", "\\N", "\\N"}));
  EXPECT_EQ(split("\\N\t\\\\N\t\\N", 3), (Fields{kNone, "\\N", kNone}));
  EXPECT_EQ(split("N\tNULL\tnull", 3), (Fields{"N", "NULL", "null"}));
  EXPECT_EQ(split("\\\\\\\\N\tx\\\\N\t\\\\Nx", 3), (Fields{"\\\\N", "x\\N", "\\Nx"}));
  EXPECT_EQ(split("\\n\t\\N\t\\\\n", 3), (Fields{"\n", kNone, "\\n"}));
  // Nothing that a server writes, but no null either.
  EXPECT_EQ(split("\\Nx\tx\\N\t\\N\\N", 3), (Fields{"Nx", "xN", "NN"}));
}

TEST(CopyRow, KeepsEmptyStringsApartFromNulls) {
  EXPECT_EQ(split("", 1), Fields{""});
  EXPECT_EQ(split("\t", 2), (Fields{"", ""}));
  EXPECT_EQ(split("\t\t", 3), (Fields{"", "", ""}));
  EXPECT_EQ(split("\ta\t", 3), (Fields{"", "a", ""}));
  EXPECT_EQ(split("a\t\tb", 3), (Fields{"a", "", "b"}));
  EXPECT_EQ(split("\t\\N", 2), (Fields{"", kNone}));
}

TEST(CopyRow, TakesARowOfATableWithoutColumns) {
  EXPECT_EQ(split("", 0), Fields{});
  for (const char* row : {"x", "\t", "\\", "\\N"}) EXPECT_EQ(split(row, 0), std::nullopt) << row;
}

TEST(CopyRow, RefusesARowOfAnotherWidth) {
  EXPECT_EQ(split("", 2), std::nullopt);
  EXPECT_EQ(split("a", 2), std::nullopt);
  EXPECT_EQ(split("a\tb", 3), std::nullopt);
  EXPECT_EQ(split("\\N", 2), std::nullopt);
  EXPECT_EQ(split("a\\tb", 2), std::nullopt) << "an escaped tab ends no field";
  EXPECT_EQ(split("\t", 1), std::nullopt);
  EXPECT_EQ(split("a\t", 1), std::nullopt);
  EXPECT_EQ(split("a\tb\tc", 2), std::nullopt);
  EXPECT_EQ(split("\\N\t", 1), std::nullopt);
  EXPECT_EQ(split("\\N\t\\N\t\\N", 2), std::nullopt);
  EXPECT_EQ(split("a\\nb\t", 1), std::nullopt);
}

TEST(CopyRow, RefusesALoneBackslashAtTheEnd) {
  EXPECT_EQ(split("\\", 1), std::nullopt);
  EXPECT_EQ(split("text\\", 1), std::nullopt);
  EXPECT_EQ(split("a\t\\", 2), std::nullopt);
  EXPECT_EQ(split("a\tb\\n\\", 2), std::nullopt);
  EXPECT_EQ(split("\\\\\\", 1), std::nullopt);
  EXPECT_EQ(split(std::string(15, 'x') + "\\", 1), std::nullopt);
  EXPECT_EQ(split("\\\\", 1), Fields{"\\"});
  EXPECT_EQ(split("\\\\\\\\", 1), Fields{"\\\\"});
}

// Rows are looked through in blocks of 16 bytes: whatever is special stands at each place of one, from wherever the
// row begins, and with whatever behind it.
TEST(CopyRow, FindsWhatIsSpecialAtEveryOffset) {
  for (std::size_t offset = 0; offset <= 40; ++offset) {
    for (const std::size_t rest : {0, 1, 2, 14, 15, 16, 17, 40}) {
      for (const std::size_t before : {0, 1, 4, 15}) {
        SCOPED_TRACE(testing::Message() << offset << " before, " << rest << " behind, from " << before);
        const std::string left(offset, 'l');
        const std::string right(rest, 'r');
        EXPECT_EQ(split(left + right, 1, before), Fields{left + right});
        EXPECT_EQ(split(left + "\t" + right, 2, before), (Fields{left, right}));
        EXPECT_EQ(split(left + "\\n" + right, 1, before), Fields{left + "\n" + right});
        EXPECT_EQ(split(left + "\\\\" + right, 1, before), Fields{left + "\\" + right});
        EXPECT_EQ(split(left + "\\t" + right + "\t\\N", 2, before), (Fields{left + "\t" + right, kNone}));
        EXPECT_EQ(split(left + "\t\\N\t" + right, 3, before), (Fields{left, kNone, right}));
        EXPECT_EQ(split(left + "\t\\N\t" + right + "\t\\\\N", 4, before), (Fields{left, kNone, right, "\\N"}));
        EXPECT_EQ(split(left + "\t" + right + "\\", 2, before), std::nullopt);
      }
    }
  }
}

TEST(CopyRow, TakesLongValues) {
  const std::string large(300'000, 'x');
  EXPECT_EQ(split(large, 1), Fields{large});
  EXPECT_EQ(split("1\t" + large + "\t\\N\t" + large, 4), (Fields{"1", large, kNone, large}));
  std::string escaped;
  std::string plain;
  for (std::size_t i = 0; plain.size() < 50'000; ++i) {
    escaped += std::string(i % 37, 'y') + (i % 3 == 0 ? "\\n" : "\\\\");
    plain += std::string(i % 37, 'y') + (i % 3 == 0 ? "\n" : "\\");
  }
  EXPECT_EQ(split(escaped, 1), Fields{plain});
  EXPECT_EQ(split(escaped + "\t" + escaped, 2), (Fields{plain, plain}));
  std::string backslashes;
  for (int i = 0; i < 10'000; ++i) backslashes += "\\\\";
  EXPECT_EQ(split(backslashes, 1), Fields{std::string(10'000, '\\')});
}

TEST(CopyRow, TakesSixteenHundredColumns) {
  std::string row;
  Fields fields;
  for (int i = 0; i < 1600; ++i) {
    if (i > 0) row += '\t';
    row += i % 3 == 0 ? "\\N" : std::to_string(i);
    fields.push_back(i % 3 == 0 ? kNone : Field(std::to_string(i)));
  }
  EXPECT_EQ(split(row, 1600), fields);
  EXPECT_EQ(split(row, 1599), std::nullopt);
  EXPECT_EQ(split(row, 1601), std::nullopt);
}

TEST(CopyRow, LeavesBytesThatAreNoUtf8AsTheyAre) {
  std::string bytes;
  for (int byte = 1; byte < 256; ++byte) {
    if (byte != '\t' && byte != '\n' && byte != '\\') bytes += static_cast<char>(byte);
  }
  EXPECT_EQ(only_field(bytes), bytes);
  EXPECT_EQ(split("\xC3\t\xE4\\n\xF6\\\\\xFF\t\xE2\x82", 3), (Fields{"\xC3", "\xE4\n\xF6\\\xFF", "\xE2\x82"}));
}

// The same, a byte at a time.
std::optional<Fields> split_slowly(std::string_view row, std::size_t columns) {
  if (columns == 0) return row.empty() ? std::optional(Fields{}) : std::nullopt;
  std::vector<std::string> raw(1);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == '\t') {
      raw.emplace_back();
      continue;
    }
    raw.back() += row[i];
    if (row[i] != '\\') continue;
    if (++i == row.size()) return std::nullopt;
    raw.back() += row[i];
  }
  if (raw.size() != columns) return std::nullopt;
  Fields fields;
  for (const std::string& text : raw) {
    if (text == "\\N") {
      fields.emplace_back();
      continue;
    }
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
      static constexpr std::string_view kLetters = "bfnrtv";
      static constexpr std::string_view kMeant = "\b\f\n\r\t\v";
      if (text[i] != '\\') {
        plain += text[i];
        continue;
      }
      const auto letter = kLetters.find(text[++i]);
      plain += letter == std::string_view::npos ? text[i] : kMeant[letter];
    }
    fields.emplace_back(plain);
  }
  return fields;
}

TEST(CopyRow, AgreesWithASplitterThatTakesItsTime) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  static constexpr std::string_view kBytes = "\\\\\t\tNNnbx\xFF yz";
  for (int round = 0; round < 20'000; ++round) {
    const bool is_dense = random() % 2 == 0;
    std::string row(random() % 70, 'x');
    for (char& c : row) {
      if (is_dense || random() % 8 == 0) c = kBytes[random() % kBytes.size()];
    }
    const std::size_t tabs = static_cast<std::size_t>(std::count(row.begin(), row.end(), '\t'));
    const std::size_t columns = random() % 4 == 0 ? random() % 6 : tabs + 1 - (tabs > 0 && random() % 3 == 0 ? 1 : 0);
    ASSERT_EQ(split(row, columns, random() % 20), split_slowly(row, columns))
        << columns << " columns: " << testing::PrintToString(row);
  }
}

}  // namespace
}  // namespace walcat::test
