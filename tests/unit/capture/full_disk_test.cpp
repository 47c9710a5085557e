// A full disk: what was appended stays in memory until there is room, and no file is torn for good.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "capture/parcels.h"
#include "offsets/temporary_folder.h"
#include "walcat/capture/dead_letters.h"

namespace {

// Bytes that the disk still takes; nothing: as many as there are.
std::optional<std::size_t> disk_room;
int disk_error = ENOSPC;

}  // namespace

// In the place of the system's, for the whole program.
extern "C" ssize_t pwrite(int fd, const void* bytes, std::size_t size, off_t at) {
  if (disk_room) {
    if (*disk_room == 0) {
      errno = disk_error;
      return -1;
    }
    size = std::min(size, *disk_room);
    *disk_room -= size;
  }
  return ::syscall(SYS_pwrite64, fd, bytes, size, at);
}

namespace walcat::test {
namespace {

using testing::HasSubstr;
using Strings = std::vector<std::string>;

class FullDisk : public testing::Test {
 private:
  TemporaryFolder folder_;

 protected:
  const std::string path_ = folder_ / "out.wcap";
  const std::string large_ = std::string(600 << 10, 'x');

  void TearDown() override {
    disk_room.reset();
    disk_error = ENOSPC;
  }
};

TEST_F(FullDisk, IsWaitedForAndNothingIsLost) {
  for (const int error : {ENOSPC, EDQUOT}) {
    put_file(path_, "");
    disk_error = error;
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok());
    (*writer)->append(parcel_of(packed({"1"})));
    ASSERT_TRUE((*writer)->sync().is_ok());
    disk_room = 1000;
    (*writer)->append(parcel_of(packed({large_})));
    EXPECT_TRUE((*writer)->is_out_of_room());
    EXPECT_EQ((*writer)->write_gathered().code(), StatusCode::kUnavailable);
    EXPECT_EQ((*writer)->sync().code(), StatusCode::kUnavailable);
    (*writer)->append(parcel_of(packed({"2"})));
    EXPECT_EQ(read_parcels(path_).front(), "db1/1: 1") << "what was whole is";
    disk_room.reset();
    const Status synced = (*writer)->sync();
    EXPECT_TRUE(synced.is_ok()) << synced.message();
    EXPECT_FALSE((*writer)->is_out_of_room());
    EXPECT_EQ(read_parcels(path_), (Strings{"db1/1: 1", "db1/1: " + large_, "db1/1: 2"}));
  }
}

TEST_F(FullDisk, IsWaitedForWhereTheNextFileBegins) {
  CaptureOptions options;
  options.path = path_;
  options.rotate_bytes = 1000;
  const auto writer = CaptureWriter::open(options);
  ASSERT_TRUE(writer.is_ok());
  const std::string first = (*writer)->path();
  (*writer)->append(parcel_of(packed({std::string(900, 'x')})));
  ASSERT_TRUE((*writer)->sync().is_ok());
  for (const std::size_t room : {std::size_t{0}, std::size_t{10}, std::size_t{20}}) {
    disk_room = room;
    (*writer)->append(parcel_of(packed({std::to_string(room)})));
    EXPECT_EQ((*writer)->sync().code(), StatusCode::kUnavailable);
  }
  disk_room.reset();
  ASSERT_TRUE((*writer)->sync().is_ok());
  EXPECT_NE((*writer)->path(), first);
  EXPECT_EQ(read_parcels(first).size(), 1U);
  EXPECT_EQ(read_parcels((*writer)->path()), (Strings{"db1/1: 0", "db1/1: 10", "db1/1: 20"}));
}

TEST_F(FullDisk, LeavesNoRoomForANewFile) {
  disk_room = 5;
  EXPECT_EQ(CaptureWriter::open(path_).status().code(), StatusCode::kUnavailable);
  disk_room.reset();
  EXPECT_TRUE(CaptureWriter::open(path_).is_ok());
}

TEST_F(FullDisk, IsFinalForDeadLetters) {
  DeadLetters letters(path_, log::Logger());
  disk_room = 20;
  letters.put({stream_of("db1"), FrameRole::kDeadLetter, 0, 0, "letter"});
  EXPECT_EQ(letters.sync().code(), StatusCode::kRefused);
  EXPECT_THAT(letters.sync().message(), HasSubstr(path_));
}

TEST_F(FullDisk, IsNotWhatAnyOtherErrorIs) {
  const auto writer = CaptureWriter::open(path_);
  ASSERT_TRUE(writer.is_ok());
  disk_room = 0;
  disk_error = EIO;
  (*writer)->append(parcel_of(packed({"1"})));
  EXPECT_EQ((*writer)->sync().code(), StatusCode::kRefused);
  disk_room.reset();
  EXPECT_EQ((*writer)->sync().code(), StatusCode::kRefused) << "for good";
}

// What a capture must not call kept.
TEST_F(FullDisk, IsNotWhatADeletedFileIs) {
  const auto writer = CaptureWriter::open(path_);
  DeadLetters letters(path_ + ".letters", log::Logger());
  for (const bool is_there : {true, false}) {
    (*writer)->append(parcel_of(packed({"1"})));
    letters.put({stream_of("db1"), FrameRole::kDeadLetter, 0, 0, "letter"});
    for (const Status& synced : {(*writer)->sync(), letters.sync()}) {
      EXPECT_EQ(synced.code(), is_there ? StatusCode::kOk : StatusCode::kRefused) << synced.message();
      EXPECT_THAT(synced.message(), HasSubstr(is_there ? "" : "deleted"));
    }
    for (const auto& path : {path_, path_ + ".letters"}) ::unlink(path.c_str());
  }
}

TEST_F(FullDisk, IsNotWhatAMovedFileIs) {
  const auto writer = CaptureWriter::open(path_);
  (*writer)->append(parcel_of(packed({"1"})));
  ASSERT_TRUE((*writer)->sync().is_ok());
  ASSERT_EQ(::rename(path_.c_str(), (path_ + ".moved").c_str()), 0);
  (*writer)->append(parcel_of(packed({"2"})));
  EXPECT_TRUE((*writer)->sync().is_ok());
  EXPECT_EQ(read_parcels(path_ + ".moved").size(), 2U);
}

}  // namespace
}  // namespace walcat::test
