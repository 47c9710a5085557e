// Text is UTF-8 behind the decoder, whatever the server says of its encoding.

#include "decoder/text_check.h"

#include <gmock/gmock.h>

#include "decoder/feed.h"
#include "walcat/base/utf8.h"

namespace walcat::test {
namespace {

using testing::HasSubstr;

const Strings kInvalid{"\xFF",
                       "caf\xC3",
                       "\x80",
                       "\xC0\xAF",
                       "\xE0\x80\xAF",
                       "\xED\xA0\x80",
                       "\xF4\x90\x80\x80",
                       "\xF8\x88\x80\x80\x80",
                       "\xF0\x9F\x90",
                       "\xC3\xA9\xC3"};
const Strings kValid{"", "plain", "caf\xC3\xA9", "\xF0\x9F\x90\x98", "\xF4\x8F\xBF\xBF", std::string("\0\x7F", 2)};

// Around these the size's bytes, the blocks that are looked at, or both, change.
constexpr std::size_t kSizes[] = {0, 1, 13, 14, 15, 16, 17, 63, 64, 65, 100, 127, 128, 130, 195, 250, 255, 256, 0x80C3};

Strings decoded(const TableSpec& table, const Strings& messages, const DecoderOptions& options = {}) {
  Feed feed({}, 1 << 20, options);
  Strings frames{at(0, begin(2000)), at(0, relation(table))};
  for (const std::string& message : messages) frames.push_back(at(1910, message));
  const auto batch = feed.decode(frames);
  return feed.status().is_ok() ? changes(*batch) : Strings{feed.status().message()};
}

const TableSpec kTable{kPlain, "public", "t", 'f', {{"a"}, {"v"}, {"z"}}};

TEST(DecoderText, IsReplacedWhereverItStandsInATuple) {
  for (const std::size_t size : kSizes) {
    const std::string padding(size, 'x');
    for (const Strings& texts : {kInvalid, kValid}) {
      for (const std::string& text : texts) {
        for (const std::string& value : {padding + text, text + padding}) {
          const Tuple row{padding, value, "\xC3\xA9"};
          const std::string shown_row = "(" + padding + ", " + with_replacements(value) + ", \xC3\xA9)";
          EXPECT_EQ(decoded(kTable, {insert(kPlain, row), update(kPlain, 'O', row, {"b", kNullValue, kUnchangedValue}),
                                     remove(kPlain, 'O', row)}),
                    (Strings{"2000.0 insert public.t " + shown_row,
                             "2000.1 update public.t old" + shown_row + " -> (b, NULL, ~)",
                             "2000.2 delete public.t old" + shown_row}))
              << size;
        }
      }
    }
  }
}

// The size of the second text is 0xC3 (or holds it), and its first byte would end a character that begins with that.
TEST(DecoderText, IsNotTakenForSoundTogetherWithItsSize) {
  const std::string value = "\x80" + std::string(0xC2, 'x');
  EXPECT_EQ(decoded(kTable, {insert(kPlain, {"a", value, "z"})}),
            Strings{"2000.0 insert public.t (a, " + with_replacements(value) + ", z)"});
}

TEST(DecoderText, IsReplacedInRowsOfASnapshot) {
  for (const std::size_t size : kSizes) {
    const std::string padding(size, 'x');
    for (const Strings& texts : {kInvalid, kValid}) {
      for (const std::string& text : texts) {
        Feed feed({}, 1 << 20);
        const auto batch = feed.decode_rows(source_of(kTable), {padding + text + "\t\\N\t" + text, "\t\t"});
        const std::string repaired = with_replacements(text);
        EXPECT_EQ(changes(*batch), (Strings{"1000.0 read public.t (" + padding + repaired + ", NULL, " + repaired + ")",
                                            "1000.1 read public.t (, , )"}));
        EXPECT_EQ(batch->values_repaired, repaired == text ? 0U : 2U);
      }
    }
  }
}

TEST(DecoderText, IsRefusedWhereItIsAsked) {
  DecoderOptions options;
  options.refuse_invalid_utf8 = true;
  for (const std::string& text : kInvalid) {
    const Strings result = decoded(kTable, {insert(kPlain, {"a", text, "z"})}, options);
    EXPECT_THAT(result.at(0), HasSubstr("column v")) << text;
    EXPECT_THAT(decoded(kTable, {logical_message(true, 1910, text, "")}, options).at(0), HasSubstr("prefix"));
  }
  for (const std::string& text : kValid) {
    EXPECT_EQ(decoded(kTable, {insert(kPlain, {"a", text, "z"})}, options).at(0),
              "2000.0 insert public.t (a, " + text + ", z)");
  }
}

TEST(DecoderText, IsReplacedInEveryName) {
  Feed feed;
  const TableSpec table{kPlain, "s\xFF", "t\xFF", 'd', {{"c\xFF", kText, true}, {"c\xFE"}, {"c\uFFFD_"}}};
  const auto batch =
      feed.decode({at(0, begin(2000)), at(0, origin(1990, "o\xFF")), at(0, relation(table)),
                   at(1910, insert(kPlain, {"1", "2", "3"})), at(1920, logical_message(true, 1920, "p\xFF", "\xFF"))});
  ASSERT_EQ(batch->changes.size(), 2U);
  const Relation& relation = *batch->changes[0].relation;
  EXPECT_EQ(relation.schema + "." + relation.name, "s\uFFFD.t\uFFFD");
  // No two columns have one name.
  EXPECT_EQ(relation.columns[0].name, "c\uFFFD");
  EXPECT_EQ(relation.columns[1].name, "c\uFFFD__");
  EXPECT_EQ(relation.columns[2].name, "c\uFFFD_");
  EXPECT_EQ(*batch->transactions[0].origin, "o\uFFFD");
  EXPECT_EQ(batch->text(batch->cells[batch->changes[1].cells_begin]), "p\uFFFD");
  EXPECT_EQ(batch->text(batch->cells[batch->changes[1].cells_begin + 1]), "\xFF") << "the content is bytes";
}

TEST(DecoderText, IsAsciiUpToItsEndAndNotBeyond) {
  for (std::size_t size = 0; size < 200; ++size) {
    std::string text(size + 64, '\xFF');
    std::fill_n(text.begin(), size, 'x');
    EXPECT_TRUE(is_ascii(text.data(), size)) << size;
    for (std::size_t i = 0; i < size; ++i) {
      text[i] = '\x80';
      EXPECT_FALSE(is_ascii(text.data(), size)) << size << ", " << i;
      text[i] = 'x';
    }
  }
}

}  // namespace
}  // namespace walcat::test
