// The capture file: what was appended comes back, whatever a crash leaves behind; damage is told with its place.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "capture/crc32c.h"
#include "capture/parcels.h"
#include "offsets/temporary_folder.h"
#include "walcat/capture/capture_reader.h"
#include "walcat/capture/capture_writer.h"

namespace walcat::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Strings = std::vector<std::string>;

class CaptureFile : public testing::Test {
 private:
  TemporaryFolder folder_;

 protected:
  const std::string path_ = folder_ / "letters.wcap";

  static CapturedFrame frame(const std::string& bytes, const std::shared_ptr<const StreamIdentity>& stream) {
    return {stream, FrameRole::kStreamed, 0, 0, bytes};
  }

  // A block of its own for each element.
  void write(const Strings& frames, const std::string& label = "db1") const {
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok()) << writer.status().message();
    const auto stream = stream_of(label);
    for (const std::string& bytes : frames) {
      (*writer)->append(frame(bytes, stream));
      ASSERT_TRUE((*writer)->sync().is_ok());
    }
  }

  // The frames as `label: bytes`, then what ended them.
  Strings read() const {
    Strings all;
    const auto reader = CaptureReader::open(path_);
    if (!reader.is_ok()) return {reader.status().message()};
    for (;;) {
      const auto next = (*reader)->next();
      if (!next.is_ok()) {
        all.push_back(next.status().message());
        EXPECT_EQ(next.status().code(), StatusCode::kRefused);
        return all;
      }
      if (!*next) break;
      all.push_back((*next)->stream->label + ": " + std::string((*next)->bytes));
    }
    if (const auto torn = (*reader)->torn_at()) all.push_back("torn at " + std::to_string(*torn));
    return all;
  }

  std::string refusal() const {
    const auto writer = CaptureWriter::open(path_);
    return writer.is_ok() ? "" : writer.status().message();
  }

  void flip(std::size_t at) const {
    std::string bytes = file_content(path_);
    bytes[at] ^= 1;
    put_file(path_, bytes);
  }
};

TEST_F(CaptureFile, LeavesAsItIsWhatIsNoCapture) {
  put_file(path_, "rows of others\n");
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  EXPECT_THAT(refusal(), HasSubstr("not a walcat capture"));
  struct stat about{};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777U, 0644U);
}

TEST_F(CaptureFile, IsNotBegunThroughASymbolicLink) {
  const std::string other = path_ + ".other";
  std::filesystem::create_symlink(other, path_);
  EXPECT_THAT(refusal(), HasSubstr("a symbolic link that leads to no capture"));
  EXPECT_FALSE(std::filesystem::exists(other));
  put_file(other, "");
  EXPECT_THAT(refusal(), HasSubstr("a symbolic link that leads to no capture"));
  EXPECT_EQ(file_content(other), "");
  std::filesystem::remove(path_);
  write({"a"});
  std::filesystem::rename(path_, other);
  std::filesystem::create_symlink(other, path_);
  write({"b"});
  EXPECT_EQ(read(), Strings({"db1: a", "db1: b"}));
}

TEST(Crc32c, IsTheOneOfTheStandard) {
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43U);
}

TEST(Crc32c, IsTheSameWithAndWithoutTheInstruction) {
  std::string bytes;
  for (std::uint32_t i = 0, value = 1; i < 30'000; ++i)
    bytes += static_cast<char>((value = value * 1664525 + 1013904223) >> 24);
  EXPECT_EQ(crc32c_by_table("123456789"), 0xE3069283U);
  const std::string_view all = bytes;
  for (std::size_t size = 0; size < all.size(); size += size < 1000 ? 1 : 997) {
    ASSERT_EQ(crc32c(all.substr(0, size)), crc32c_by_table(all.substr(0, size))) << size << " bytes";
    ASSERT_EQ(crc32c(all.substr(all.size() - size)), crc32c_by_table(all.substr(all.size() - size))) << size;
  }
}

TEST_F(CaptureFile, GivesBackWhatWasAppended) {
  const std::string bytes("a\0b", 3);
  {
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok()) << writer.status().message();
    (*writer)->append({stream_of("db1"), FrameRole::kDeadLetter, -5, 77, bytes});
    ASSERT_TRUE((*writer)->sync().is_ok());
  }
  const auto reader = CaptureReader::open(path_);
  ASSERT_TRUE(reader.is_ok()) << reader.status().message();
  const auto next = (*reader)->next();
  ASSERT_TRUE(next.is_ok() && *next);
  EXPECT_EQ(*(*next)->stream, *stream_of("db1"));
  EXPECT_EQ((*next)->role, FrameRole::kDeadLetter);
  EXPECT_EQ((*next)->taken_at, -5);
  EXPECT_EQ((*next)->index, 77U);
  EXPECT_EQ((*next)->bytes, bytes);
}

TEST_F(CaptureFile, KeepsTheStreamsOfSeveralDatabasesApart) {
  {
    const auto writer = CaptureWriter::open(path_);
    ASSERT_TRUE(writer.is_ok());
    for (const char* label : {"a", "b", "b", "a"}) (*writer)->append(frame("x", stream_of(label)));
    ASSERT_TRUE((*writer)->sync().is_ok());
  }
  EXPECT_EQ(read(), (Strings{"a: x", "b: x", "b: x", "a: x"}));
}

TEST_F(CaptureFile, IsAppendedToByLaterRuns) {
  write({"1", "2"}, "a");
  write({"3"}, "b");
  EXPECT_EQ(read(), (Strings{"a: 1", "a: 2", "b: 3"}));
}

TEST_F(CaptureFile, TakesFramesLargerThanABlock) {
  const std::string large(3 << 20, 'x');
  write({"1", large, "2"});
  EXPECT_EQ(read(), (Strings{"db1: 1", "db1: " + large, "db1: 2"}));
}

TEST_F(CaptureFile, IsReadUpToItsLastWholeBlockWhereverItIsCut) {
  write({"1"});
  const std::size_t whole = file_content(path_).size();
  write({"2"});
  const std::string both = file_content(path_);
  for (std::size_t size = whole + 1; size < both.size(); ++size) {
    put_file(path_, both.substr(0, size));
    ASSERT_EQ(read(), (Strings{"db1: 1", "torn at " + std::to_string(whole)})) << size << " bytes";
    // Whoever appends cuts the rest off.
    write({"3"}, "db2");
    ASSERT_EQ(read(), (Strings{"db1: 1", "db2: 3"})) << size << " bytes";
  }
}

TEST_F(CaptureFile, IsBegunAnewWhereItsOwnHeaderIsCut) {
  write({});
  const std::string header = file_content(path_);
  for (std::size_t size = 0; size < header.size(); ++size) {
    put_file(path_, header.substr(0, size));
    EXPECT_EQ(read(), (Strings{"torn at 0"})) << size << " bytes";
    write({"1"});
    EXPECT_EQ(read(), (Strings{"db1: 1"})) << size << " bytes";
  }
}

TEST_F(CaptureFile, MayEndInZeros) {
  write({"1"});
  const std::string whole = file_content(path_);
  put_file(path_, whole + std::string(5000, '\0'));
  EXPECT_EQ(read(), (Strings{"db1: 1", "torn at " + std::to_string(whole.size())}));
  write({"2"});
  EXPECT_EQ(read(), (Strings{"db1: 1", "db1: 2"}));
}

TEST_F(CaptureFile, NamesFileAndPlaceOfEveryFlippedByte) {
  write({"1"});
  const std::size_t first = file_content(path_).size();
  write({"2", "3"});
  const std::string sound = file_content(path_);
  for (std::size_t at = 0; at < first; ++at) {
    flip(at);
    const std::string place = at < kCaptureFileHeader ? "" : std::to_string(kCaptureFileHeader);
    ASSERT_THAT(read().back(), AllOf(HasSubstr(path_), HasSubstr(place))) << "byte " << at;
    ASSERT_THAT(read(), testing::SizeIs(1)) << "byte " << at;
    put_file(path_, sound);
  }
}

TEST_F(CaptureFile, IsNotAppendedToWhereItIsDamaged) {
  write({"1", "2"});
  const std::string sound = file_content(path_);
  flip(kCaptureFileHeader + 2);
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path_), HasSubstr("damaged at byte 16")));
  EXPECT_EQ(file_content(path_).size(), sound.size());
}

TEST_F(CaptureFile, RefusesForeignFilesAndLeavesThemAlone) {
  for (const std::string& foreign : {std::string("{}"), std::string("SELECT 1; -- and so on"), std::string(5, '\1')}) {
    put_file(path_, foreign);
    EXPECT_THAT(refusal(), AllOf(HasSubstr(path_), HasSubstr("not a walcat capture")));
    EXPECT_THAT(read().back(), HasSubstr("not a walcat capture"));
    EXPECT_EQ(file_content(path_), foreign);
  }
}

TEST_F(CaptureFile, RefusesANewerVersion) {
  put_file(path_, file_header(kCaptureVersion + 1));
  EXPECT_THAT(refusal(), HasSubstr("version 3; this walcat knows versions up to 2"));
  EXPECT_THAT(read().back(), HasSubstr("version 3; this walcat knows versions up to 2"));
}

TEST_F(CaptureFile, HasOneWriter) {
  const auto first = CaptureWriter::open(path_);
  ASSERT_TRUE(first.is_ok());
  EXPECT_THAT(refusal(), AllOf(HasSubstr(path_), HasSubstr("somebody else writes it")));
}

TEST_F(CaptureFile, SaysWhyItCanNotBeOpened) {
  EXPECT_THAT(CaptureWriter::open("no/such/letters.wcap").status().message(),
              HasSubstr("no/such/letters.wcap: open: No such file or directory"));
  EXPECT_THAT(CaptureReader::open(path_).status().message(), HasSubstr("No such file or directory"));
}

}  // namespace
}  // namespace walcat::test
