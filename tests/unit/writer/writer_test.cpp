#include "walcat/writer/writer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace walcat::test {
namespace {

using Strings = std::vector<std::string>;

// Accepts bytes until `room` are used up, then fails.
class FakeSink : public Sink {
 public:
  explicit FakeSink(std::size_t room = ~std::size_t{0}) : room_(room) {}

  Status write(std::span<const iovec> parts, std::size_t& accepted) override {
    ++writes;
    accepted = 0;
    for (const iovec& part : parts) {
      const std::size_t taken = std::min(part.iov_len, room_);
      bytes.append(static_cast<const char*>(part.iov_base), taken);
      accepted += taken;
      room_ -= taken;
      if (taken < part.iov_len) return {StatusCode::kOutputFailed, "no room"};
    }
    return Status::ok();
  }
  Status sync() override { return Status::ok(); }
  void interrupt() override {}
  int watch_fd() const override { return -1; }

  std::string bytes;
  int writes = 0;

 private:
  std::size_t room_;
};

std::unique_ptr<Batch> with_lines(const Strings& lines) {
  auto batch = std::make_unique<Batch>(1024);
  batch->changes.resize(lines.size());
  for (const std::string& line : lines) {
    batch->lines.append(line);
    batch->line_ends.push_back(batch->lines.size());
  }
  return batch;
}

Status write(Writer& writer, const std::vector<Batch*>& batches) { return writer.write(batches); }

TEST(Writer, WritesAllBatchesInOrderInOneGo) {
  FakeSink sink;
  Writer writer(sink, std::nullopt);
  const auto a = with_lines({"a1\n", "a2\n"});
  const auto empty = with_lines({});
  const auto b = with_lines({"b1\n"});
  EXPECT_TRUE(write(writer, {a.get(), empty.get(), b.get()}).is_ok());
  EXPECT_EQ(sink.bytes, "a1\na2\nb1\n");
  EXPECT_EQ(sink.writes, 1);
  EXPECT_EQ(a->changes_written, 2U);
  EXPECT_EQ(empty->changes_written, 0U);
  EXPECT_EQ(b->changes_written, 1U);
}

TEST(Writer, EmptiesTheLinesThatItWrote) {
  FakeSink sink;
  Writer writer(sink, std::nullopt);
  const auto batch = with_lines({"a1\n", std::string(100'000, 'x') + "\n"});
  ASSERT_TRUE(write(writer, {batch.get()}).is_ok());
  EXPECT_TRUE(batch->lines.empty());
  EXPECT_TRUE(batch->line_ends.empty());
  EXPECT_LE(batch->lines.capacity(), batch->line_bytes());
}

TEST(Writer, CountsOnWhenABatchComesAgainForItsRest) {
  FakeSink sink;
  Writer writer(sink, std::nullopt);
  const auto batch = with_lines({"1\n", "2\n"});
  ASSERT_TRUE(write(writer, {batch.get()}).is_ok());
  batch->lines.append("3\n");
  batch->line_ends.push_back(2);
  ASSERT_TRUE(write(writer, {batch.get()}).is_ok());
  EXPECT_EQ(sink.bytes, "1\n2\n3\n");
  EXPECT_EQ(batch->changes_written, 3U);
}

TEST(Writer, CountsWholeChangesOnlyWhenTheSinkFails) {
  const Strings first{"first\n", "second\n"};
  const Strings second{"third\n", "fourth\n"};
  const std::string all = "first\nsecond\nthird\nfourth\n";
  for (std::size_t room = 0; room < all.size(); ++room) {
    FakeSink sink(room);
    Writer writer(sink, std::nullopt);
    const auto a = with_lines(first);
    const auto b = with_lines(second);
    EXPECT_EQ(write(writer, {a.get(), b.get()}).code(), StatusCode::kOutputFailed);
    EXPECT_EQ(sink.bytes, all.substr(0, room));
    const auto whole = static_cast<std::size_t>(std::count(sink.bytes.begin(), sink.bytes.end(), '\n'));
    EXPECT_EQ(a->changes_written, std::min<std::size_t>(whole, 2)) << room << " bytes";
    EXPECT_EQ(b->changes_written, whole - a->changes_written) << room << " bytes";
  }
}

TEST(Writer, StopsAtMaxChanges) {
  for (std::uint64_t most = 1; most <= 4; ++most) {
    FakeSink sink;
    Writer writer(sink, most);
    const auto a = with_lines({"1\n", "2\n"});
    const auto b = with_lines({"3\n", "4\n", "5\n"});
    EXPECT_EQ(write(writer, {a.get(), b.get()}).code(), StatusCode::kStopped);
    EXPECT_TRUE(writer.max_changes_reached());
    EXPECT_EQ(sink.bytes, std::string("1\n2\n3\n4\n").substr(0, 2 * most));
    EXPECT_EQ(a->changes_written + b->changes_written, most);
  }
}

TEST(Writer, CountsMaxChangesAcrossWrites) {
  FakeSink sink;
  Writer writer(sink, 3);
  const auto a = with_lines({"1\n", "2\n"});
  EXPECT_TRUE(write(writer, {a.get()}).is_ok());
  EXPECT_FALSE(writer.max_changes_reached());
  const auto b = with_lines({"3\n", "4\n"});
  EXPECT_EQ(write(writer, {b.get()}).code(), StatusCode::kStopped);
  EXPECT_EQ(b->changes_written, 1U);
  const auto c = with_lines({"5\n"});
  EXPECT_EQ(write(writer, {c.get()}).code(), StatusCode::kStopped);
  EXPECT_EQ(sink.bytes, "1\n2\n3\n");
  EXPECT_EQ(c->changes_written, 0U);
}

TEST(Writer, WritesNothingWhenMaxChangesIsNone) {
  FakeSink sink;
  Writer writer(sink, 0);
  const auto batch = with_lines({"1\n"});
  EXPECT_EQ(write(writer, {batch.get()}).code(), StatusCode::kStopped);
  EXPECT_TRUE(sink.bytes.empty());
}

TEST(Writer, PrefersTheSinksFailureToMaxChanges) {
  FakeSink sink(1);
  Writer writer(sink, 1);
  const auto batch = with_lines({"1\n"});
  EXPECT_EQ(write(writer, {batch.get()}).code(), StatusCode::kOutputFailed);
  EXPECT_EQ(batch->changes_written, 0U);
}

}  // namespace
}  // namespace walcat::test
