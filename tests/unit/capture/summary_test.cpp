// What a capture file is said to hold, and that all of it is looked at.

#include "walcat/capture/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "capture/parcels.h"
#include "decoder/frames.h"
#include "offsets/temporary_folder.h"

namespace walcat::test {
namespace {

using testing::HasSubstr;

class Summary : public testing::Test {
 private:
  TemporaryFolder folder_;

 protected:
  const std::string path_ = folder_ / "out.wcap";

  void write(const std::vector<std::string>& frames, std::int64_t received_at = 0, std::uint64_t session = 1) const {
    CaptureOptions options;
    options.path = path_;
    options.compress = true;
    const auto writer = CaptureWriter::open(options);
    ASSERT_TRUE(writer.is_ok());
    const std::string bytes = packed(frames);
    CapturedParcel parcel = parcel_of(bytes);
    parcel.received_at = received_at;
    parcel.session = session_of(session);
    (*writer)->append(parcel);
    ASSERT_TRUE((*writer)->sync().is_ok());
  }
  CaptureSummary summary() const {
    const auto summary = summarize(path_);
    EXPECT_TRUE(summary.is_ok()) << summary.status().message();
    return summary.is_ok() ? *summary : CaptureSummary();
  }
};

TEST_F(Summary, CountsWhatTheStreamsHold) {
  TableSpec table;
  table.columns = {{"id", kInt4, true}};
  write({at(1, begin(0x100)), at(2, relation(table)), at(3, insert(table.oid, {"1"})), at(4, insert(table.oid, {"2"})),
         at(5, commit(0x100, 0x130))},
        1'000'000);
  write({at(6, begin(0x200)), at(7, commit(0x200, 0x230))}, 2'000'000, 2);
  {
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok());
    const std::string rows = packed({"1\n", "2\n"});
    CapturedParcel parcel = parcel_of(rows);
    parcel.stream = stream_of("db2");
    parcel.snapshot = std::make_shared<const SnapshotSource>();
    (*writer)->append(parcel);
    (*writer)->append({parcel.stream, FrameRole::kContext, 0, 0, "context"});
    (*writer)->append({parcel.stream, FrameRole::kDeadLetter, 0, 0, "letter"});
    ASSERT_TRUE((*writer)->sync().is_ok());
  }
  const CaptureSummary all = summary();
  EXPECT_EQ(all.file.version, kCaptureVersion);
  EXPECT_EQ(all.file.blocks, 3U);
  EXPECT_EQ(all.file.bytes, file_content(path_).size());
  EXPECT_EQ(all.dead_letters, 1U);
  EXPECT_FALSE(all.torn_at);
  ASSERT_EQ(all.streams.size(), 2U);
  const StreamSummary& first = all.streams[0];
  EXPECT_EQ(*first.identity, *stream_of("db1"));
  EXPECT_EQ(first.sessions, 2U);
  EXPECT_EQ(first.frames, 7U);
  EXPECT_EQ(first.transactions, 2U);
  EXPECT_EQ(first.inserts, 2U);
  EXPECT_EQ(first.first_commit, Lsn{0x100});
  EXPECT_EQ(first.last_commit, Lsn{0x200});
  EXPECT_EQ(first.first_received, 1'000'000);
  EXPECT_EQ(first.last_received, 2'000'000);
  EXPECT_EQ(all.streams[1].snapshot_rows, 2U);
  EXPECT_EQ(all.streams[1].bytes, 4U);
}

TEST_F(Summary, TellsItToPeopleAndPrograms) {
  write({at(1, begin(0x100)), at(5, commit(0x100, 0x130))}, 1'000'000);
  const std::string text = to_text(summary());
  EXPECT_THAT(text, HasSubstr("file " + path_ + "\n  version             2\n"));
  EXPECT_THAT(text, HasSubstr("\nstream db1\n  database            db1_db\n"));
  EXPECT_THAT(text, HasSubstr("\n  transactions        1\n"));
  EXPECT_THAT(text, HasSubstr("\n  last commit         0/100\n"
                              "  first received      2000-01-01 00:00:01.000000 UTC\n"));
  const std::string json = to_json(summary());
  EXPECT_THAT(json, HasSubstr(R"("dead_letters":0,"torn_at":null,"streams":[{"label":"db1","database":"db1_db",)"));
  EXPECT_THAT(json, HasSubstr(R"("snapshot_rows":0,"first_commit_lsn":"0/100","last_commit_lsn":"0/100",)"
                              R"("first_received_us":946684801000000,"last_received_us":946684801000000}]})"));
}

TEST_F(Summary, IsOfAnEmptyFileToo) {
  ASSERT_TRUE(CaptureWriter::open(path_).is_ok());
  EXPECT_THAT(to_json(summary()), testing::EndsWith(R"("streams":[]})"));
}

TEST_F(Summary, SaysWhereTheFileIsTorn) {
  write({at(1, begin(0x100))});
  const std::size_t whole = file_content(path_).size();
  put_file(path_, file_content(path_) + "WBL");
  EXPECT_EQ(summary().torn_at, whole);
  EXPECT_THAT(to_text(summary()), HasSubstr("torn at byte        " + std::to_string(whole)));
}

TEST_F(Summary, RefusesWhatIsDamagedOrNoMessage) {
  write({at(1, begin(0x100)), at(2, "?")});
  EXPECT_THAT(summarize(path_).status().message(), HasSubstr("a frame that is no message of pgoutput"));
  write({"1"});
  std::string bytes = file_content(path_);
  bytes[kCaptureFileHeader + 40] ^= 1;
  put_file(path_, bytes);
  EXPECT_THAT(summarize(path_).status().message(), HasSubstr("another checksum"));
}

}  // namespace
}  // namespace walcat::test
