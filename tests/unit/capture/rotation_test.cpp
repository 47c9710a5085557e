// A capture in a series of files: each within its size, each to be read by itself, and none lost.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "capture/parcels.h"
#include "offsets/temporary_folder.h"

namespace walcat::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Strings = std::vector<std::string>;

std::string message(const std::string& pgoutput) { return "w" + std::string(24, '\0') + pgoutput; }
std::string described(char kind, std::uint32_t oid, const std::string& rest) {
  std::string bytes(1, kind);
  put_u32(bytes, oid);
  return message(bytes + rest);
}

class Rotation : public testing::Test {
 private:
  TemporaryFolder folder_;

 protected:
  static constexpr std::uint64_t kRotateBytes = 4000;
  const std::string path_ = folder_ / "out.wcap";
  const std::string frame_ = message(std::string(1000, 'x'));

  std::unique_ptr<CaptureWriter> open() const {
    CaptureOptions options;
    options.path = path_;
    options.rotate_bytes = kRotateBytes;
    auto writer = CaptureWriter::open(options);
    EXPECT_TRUE(writer.is_ok()) << writer.status().message();
    return writer.is_ok() ? std::move(*writer) : nullptr;
  }
  Strings files() const {
    Strings names;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(path_).parent_path())) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string file(int number) const {
    return path_.substr(0, path_.size() - 5) + ".00000" + std::to_string(number) + ".wcap";
  }
};

TEST_F(Rotation, BeginsANewFileWhereOneIsFull) {
  const auto writer = open();
  for (int i = 0; i < 7; ++i) writer->append(parcel_of(packed({frame_ + std::to_string(i)})));
  ASSERT_TRUE(writer->sync().is_ok());
  EXPECT_THAT(files(), ElementsAre("out.000001.wcap", "out.000002.wcap", "out.000003.wcap"));
  EXPECT_EQ(writer->path(), file(3));
  Strings all;
  for (int number = 1; number <= 3; ++number) {
    EXPECT_LE(file_content(file(number)).size(), kRotateBytes);
    for (const std::string& line : read_parcels(file(number))) all.push_back(line);
  }
  ASSERT_EQ(all.size(), 7U);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], "db1/1: " + frame_ + std::to_string(i));
}

TEST_F(Rotation, GoesOnInTheLastFile) {
  for (int i = 0; i < 5; ++i) {
    const auto writer = open();
    writer->append(parcel_of(packed({frame_})));
    ASSERT_TRUE(writer->sync().is_ok());
  }
  EXPECT_THAT(files(), ElementsAre("out.000001.wcap", "out.000002.wcap"));
  EXPECT_EQ(read_parcels(file(1)).size(), 3U);
  EXPECT_EQ(read_parcels(file(2)).size(), 2U);
}

TEST_F(Rotation, LeavesOtherFilesAlone) {
  for (const char* name : {"out.wcap", "out.00007.wcap", "out.0000008.wcap", "out.000009.wcap.bak", "out.x00010.wcap",
                           "other.000011.wcap", "out.000000.wcap"}) {
    put_file(std::filesystem::path(path_).parent_path() / name, "other");
  }
  const auto writer = open();
  EXPECT_EQ(writer->path(), file(1));
}

TEST_F(Rotation, GivesAParcelThatIsLargerAFileOfItsOwn) {
  const auto writer = open();
  for (const std::string& frame : {std::string("1"), std::string(10'000, 'y'), std::string("2")}) {
    writer->append(parcel_of(packed({frame})));
  }
  ASSERT_TRUE(writer->sync().is_ok());
  EXPECT_EQ(read_parcels(file(1)), Strings{"db1/1: 1"});
  EXPECT_EQ(read_parcels(file(2)), Strings{"db1/1: " + std::string(10'000, 'y')});
  EXPECT_EQ(read_parcels(file(3)), Strings{"db1/1: 2"});
}

TEST_F(Rotation, BeginsEachFileWithWhatWasDescribedBefore) {
  const auto writer = open();
  const std::string type = described('Y', 16400, "mood");
  const std::string old_relation = described('R', 16500, "old");
  const std::string new_relation = described('R', 16500, "new");
  const std::string bare_relation = described('R', 16600, "bare");
  const std::string insert = described('I', 16500, std::string(3900, 'x'));
  auto note = std::make_shared<RelationNote>();
  note->relation_oid = 16500;
  note->key = {"id"};
  const std::string frames = packed({type, old_relation, bare_relation, new_relation});
  CapturedParcel parcel = parcel_of(frames);
  parcel.received_at = 1;
  parcel.notes = {std::make_shared<RelationNote>(RelationNote{16500, {}, {}, {}}), note};
  writer->append(parcel);
  parcel.notes.clear();
  const std::string inserts = packed({insert});
  parcel.frames = inserts;
  parcel.received_at = 2;
  writer->append(parcel);
  // Another stream in between, and another connection: nothing is carried over.
  parcel.stream = stream_of("db2");
  writer->append(parcel);
  parcel.stream = parcel_of("").stream;
  parcel.session = session_of(2);
  writer->append(parcel);
  ASSERT_TRUE(writer->sync().is_ok());

  EXPECT_EQ(read_parcels(file(2)), (Strings{"db1/1 context: " + type, "db1/1 context: " + new_relation,
                                            "db1/1 context: " + bare_relation, "db1/1: " + insert}));
  EXPECT_EQ(read_parcels(file(3)), Strings{"db2/1: " + insert});
  EXPECT_EQ(read_parcels(file(4)), Strings{"db1/2: " + insert});
  const auto reader = CaptureReader::open(file(2));
  ASSERT_TRUE(reader.is_ok());
  const auto context = (*reader)->next_parcel();
  ASSERT_TRUE(context.is_ok() && *context);
  EXPECT_EQ((*context)->received_at, 2);
  ASSERT_EQ((*context)->notes.size(), 1U);
  EXPECT_EQ((*context)->notes[0]->key, Strings{"id"});
}

TEST_F(Rotation, BeginsEachFileWithWhatRowsAreOf) {
  const auto writer = open();
  auto source = std::make_shared<SnapshotSource>();
  source->relation.name = "t";
  const std::string rows = packed({std::string(3500, 'r')});
  CapturedParcel parcel = parcel_of(rows);
  parcel.snapshot = source;
  writer->append(parcel);
  writer->append(parcel);
  ASSERT_TRUE(writer->sync().is_ok());
  for (const int number : {1, 2}) {
    const auto reader = CaptureReader::open(file(number));
    ASSERT_TRUE(reader.is_ok());
    const auto read = (*reader)->next_parcel();
    ASSERT_TRUE(read.is_ok() && *read) << read.status().message();
    EXPECT_EQ((*read)->snapshot->relation.name, "t");
  }
}

TEST_F(Rotation, HasOneWriter) {
  const auto first = open();
  CaptureOptions options;
  options.path = path_;
  options.rotate_bytes = kRotateBytes;
  EXPECT_THAT(CaptureWriter::open(options).status().message(), HasSubstr("somebody else writes it"));
  for (int i = 0; i < 4; ++i) first->append(parcel_of(packed({frame_})));
  ASSERT_TRUE(first->sync().is_ok());
  EXPECT_EQ(first->path(), file(2));
  EXPECT_THAT(CaptureWriter::open(options).status().message(), HasSubstr("somebody else writes it"));
}

TEST_F(Rotation, NeverWritesOverAFileThatCameFromElsewhere) {
  const auto writer = open();
  put_file(file(2), "mine");
  for (int i = 0; i < 4; ++i) writer->append(parcel_of(packed({frame_})));
  EXPECT_THAT(writer->sync().message(), HasSubstr("out.000002.wcap: open: File exists"));
  EXPECT_EQ(file_content(file(2)), "mine");
  EXPECT_EQ(read_parcels(file(1)).size(), 3U);
}

}  // namespace
}  // namespace walcat::test
