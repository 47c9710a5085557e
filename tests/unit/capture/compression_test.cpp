// Compressed blocks of a capture file: the same as others to who reads them, and no way in for what is malformed.

#include "capture/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <string>
#include <vector>

#include "capture/parcels.h"
#include "capture/record_bytes.h"
#include "offsets/temporary_folder.h"

namespace walcat::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Strings = std::vector<std::string>;

class CompressedCapture : public testing::Test {
 private:
  TemporaryFolder folder_;

 protected:
  const std::string path_ = folder_ / "out.wcap";
  const std::string frame_ = std::string(1000, 'x');

  // A block of its own for each parcel of one frame.
  void write(const Strings& frames, bool compress = true) const {
    const auto writer = CaptureWriter::open(CaptureOptions{path_, compress});
    ASSERT_TRUE(writer.is_ok()) << writer.status().message();
    for (const std::string& frame : frames) {
      (*writer)->append(parcel_of(packed({frame})));
      ASSERT_TRUE((*writer)->sync().is_ok());
    }
  }
  std::string end_of(const std::string& payload) const {
    put_file(path_, file_header(kCaptureVersion) + block_of(payload, kCaptureCompressed));
    const Strings all = read_parcels(path_);
    return all.empty() ? "" : all.back();
  }
};

TEST_F(CompressedCapture, GivesBackWhatWasAppended) {
  write({frame_, "1"});
  write({"2", frame_}, false);
  write({std::string(3 << 20, 'y')});
  EXPECT_EQ(read_parcels(path_), (Strings{"db1/1: " + frame_, "db1/1: 1", "db1/1: 2", "db1/1: " + frame_,
                                          "db1/1: " + std::string(3 << 20, 'y')}));
  EXPECT_LT(file_content(path_).size(), 5000U);
}

TEST_F(CompressedCapture, KeepsWhatWouldNotBecomeSmallerAsItIs) {
  std::string chance;
  for (std::uint32_t i = 0, value = 1; i < 10'000; ++i) {
    chance += static_cast<char>((value = value * 1664525 + 1013904223) >> 24);
  }
  write({chance});
  EXPECT_EQ(read_parcels(path_), Strings{"db1/1: " + chance});
}

TEST_F(CompressedCapture, IsReadUpToTheLastWholeBlockWhereverItIsCut) {
  write({frame_});
  const std::size_t whole = file_content(path_).size();
  write({frame_ + "2"});
  const std::string both = file_content(path_);
  for (std::size_t size = whole + 1; size < both.size(); ++size) {
    put_file(path_, both.substr(0, size));
    ASSERT_EQ(read_parcels(path_), (Strings{"db1/1: " + frame_, "torn at " + std::to_string(whole)})) << size;
  }
}

TEST_F(CompressedCapture, RefusesWhatMakesNoSense) {
  std::string records;
  records += std::string(2000, 'z');
  Compressor compressor;
  std::string sound;
  ASSERT_TRUE(compressor.compress(records, sound));
  EXPECT_THAT(end_of(sound), HasSubstr("damaged at byte 36, in byte 0 of what is compressed there: a record reaches"));
  const auto sized = [&](std::uint64_t size) {
    std::string bytes;
    put_u32(bytes, size);
    return bytes + sound.substr(4);
  };
  for (const std::string& payload :
       {sized(1999), sized(2001), sized(0), sized(0xFFFFFFFF), sound.substr(0, sound.size() - 1), sound.substr(0, 4),
        std::string("abc"), std::string("\0\0\0\5hello", 9)}) {
    EXPECT_THAT(end_of(payload), AllOf(HasSubstr(path_), HasSubstr("damaged at byte 36: what is compressed there")));
  }
}

TEST_F(CompressedCapture, RefusesFlagsItDoesNotKnow) {
  put_file(path_, file_header(kCaptureVersion) + block_of("abc", 4));
  EXPECT_THAT(read_parcels(path_).back(), HasSubstr("block at byte 16 has flags 0x4"));
}

// A thousand kilobytes of zstd could become gigabytes.
TEST_F(CompressedCapture, RefusesWhatBecomesFarLargerThanItsFile) {
  const std::string records(64 << 20, '\0');
  std::string frame(::ZSTD_compressBound(records.size()), '\0');
  frame.resize(::ZSTD_compress(frame.data(), frame.size(), records.data(), records.size(), 1));
  ASSERT_LT(frame.size(), 10'000U);
  std::string payload;
  put_u32(payload, records.size());
  EXPECT_THAT(end_of(payload + frame), HasSubstr("what is compressed there makes no sense"));
}

TEST_F(CompressedCapture, GivesBackALargeBlockThatIsAlmostNothing) {
  const std::string zeros(64 << 20, '0');
  write({zeros});
  EXPECT_EQ(read_parcels(path_), Strings{"db1/1: " + zeros});
}

}  // namespace
}  // namespace walcat::test
