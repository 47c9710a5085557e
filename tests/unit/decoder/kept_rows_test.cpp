// Rows of a decoded batch, written once more as COPY writes them: what is read of them again is the same.

#include "walcat/decoder/kept_rows.h"

#include <gtest/gtest.h>

#include <random>

#include "decoder/feed.h"

namespace walcat::test {
namespace {

class KeptRows : public testing::Test {
 protected:
  explicit KeptRows(const TableSpec& table = plain_table()) : source_(source_of(table)) {}

  // The rows that are kept of `rows`.
  Strings kept(const Strings& rows) {
    const auto batch = feed_.decode_rows(source_, rows);
    EXPECT_TRUE(feed_.status().is_ok()) << feed_.status().message();
    const FrameText text = kept_rows(*batch);
    Batch again(4096);
    EXPECT_TRUE(again.append_frames(text.bytes, text.count));
    Strings all;
    again.for_each_frame([&](std::string_view row) { return static_cast<void>(all.emplace_back(row)), true; });
    EXPECT_EQ(all.size(), text.count);
    return all;
  }

  std::shared_ptr<const SnapshotSource> source_;
  Feed feed_{{}, 1 << 16};
};

class KeptRowsWithoutColumns : public KeptRows {
 protected:
  KeptRowsWithoutColumns() : KeptRows({16385, "public", "bare", 'd', {}}) {}
};

TEST_F(KeptRows, AreWhatTheServerSent) {
  const Strings rows{"1\tplain", "2\t\\N", "3\t",          "4\t\\\\N",        "5\ta\\tb\\nc\\rd\\\\e",
                     "\\N\t\\N", "\t",     "7\t\\b\\f\\v", "8\t\xC3\xA4\x7F", "9\tN"};
  EXPECT_EQ(kept(rows), rows);
}

TEST_F(KeptRows, AreNoneOfABatchWithoutAny) {
  const FrameText text = kept_rows(*feed_.decode({}));
  EXPECT_EQ(text.bytes, "");
  EXPECT_EQ(text.count, 0U);
}

TEST_F(KeptRowsWithoutColumns, AreEmptyFrames) { EXPECT_EQ(kept({"", ""}), (Strings{"", ""})); }

TEST_F(KeptRows, HoldAnyValue) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  static constexpr std::string_view kBytes = "\\\t\n\r\b\f\vNtx";
  for (int round = 0; round < 500; ++round) {
    const auto batch = feed_.pack_rows(source_, {"1\tx"});
    feed_.decode(*batch);
    std::string value;
    for (std::size_t size = random() % 60; size > 0; --size) value += kBytes[random() % kBytes.size()];
    Cell& cell = batch->cells[batch->changes[0].cells_begin + 1];
    cell.offset = batch->append_text(value);
    cell.size = static_cast<std::int32_t>(value.size());
    const FrameText text = kept_rows(*batch);
    const auto again = feed_.decode_rows(source_, {text.bytes.substr(Batch::kFrameHeader)});
    ASSERT_TRUE(feed_.status().is_ok()) << feed_.status().message();
    ASSERT_EQ(again->text(again->cells[1]), value);
  }
}

}  // namespace
}  // namespace walcat::test
