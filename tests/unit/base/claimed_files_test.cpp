#include "walcat/base/claimed_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "offsets/temporary_folder.h"

namespace walcat {
namespace {

namespace fs = std::filesystem;

class ClaimedFilesTest : public testing::Test {
 protected:
  std::string at(const std::string& name) const { return folder_ / name; }
  void make(const std::string& name) const { std::ofstream(at(name)) << "x"; }

  // Who has `name`, once "one" has `first`.
  std::string holder(const std::string& first, const std::string& name) {
    ClaimedFiles files;
    EXPECT_FALSE(files.claim_replaced(at(first), "one"));
    const auto earlier = files.claim(at(name), "two");
    return earlier ? earlier->owner : "";
  }

  test::TemporaryFolder folder_;
};

TEST_F(ClaimedFilesTest, KnowsAFileByItsName) {
  EXPECT_EQ(holder("a", "a"), "one");
  EXPECT_EQ(holder("a", "./b/../a"), "one");
  EXPECT_EQ(holder("a", "b"), "");
}

TEST_F(ClaimedFilesTest, KnowsAFileThroughSymbolicLinks) {
  make("a");
  fs::create_symlink("a", at("link"));
  fs::create_symlink(at("link"), at("second"));
  EXPECT_EQ(holder("a", "second"), "one");
  EXPECT_EQ(holder("second", "a"), "one");
}

TEST_F(ClaimedFilesTest, KnowsAFileThatIsNotThereYet) {
  fs::create_symlink("a", at("link"));
  fs::create_directory(at("folder"));
  fs::create_directory_symlink("folder", at("other"));
  EXPECT_EQ(holder("a", "link"), "one");
  EXPECT_EQ(holder("link", "a"), "one");
  EXPECT_EQ(holder("folder/a", "other/a"), "one");
  EXPECT_EQ(holder("folder/a", "a"), "");
  EXPECT_EQ(holder("missing/a", "missing/../missing/a"), "one");
}

TEST_F(ClaimedFilesTest, KnowsAFileByItsOtherNames) {
  make("a");
  fs::create_hard_link(at("a"), at("b"));
  EXPECT_EQ(holder("a", "b"), "one");
}

TEST_F(ClaimedFilesTest, ReservesWhatAFileIsReplacedBy) {
  EXPECT_EQ(holder("a", "a.tmp"), "one, while it is replaced");
  fs::create_symlink("a.tmp", at("link"));
  EXPECT_EQ(holder("a", "link"), "one, while it is replaced");
  ClaimedFiles files;
  EXPECT_FALSE(files.claim(at("b.tmp"), "one"));
  const auto earlier = files.claim_replaced(at("b"), "two");
  ASSERT_TRUE(earlier);
  EXPECT_EQ(earlier->owner, "one");
}

// It is removed, and what it leads to is left alone.
TEST_F(ClaimedFilesTest, DoesNotFollowWhatBearsTheNameOfATemporaryFile) {
  make("b");
  fs::create_symlink("b", at("a.tmp"));
  EXPECT_EQ(holder("a", "b"), "");
}

TEST_F(ClaimedFilesTest, EndsInCirclesOfLinks) {
  fs::create_symlink("b", at("a"));
  fs::create_symlink("a", at("b"));
  EXPECT_EQ(holder("a", "c"), "");
}

TEST_F(ClaimedFilesTest, TakesADeviceForNoFile) {
  fs::create_symlink("/dev/null", at("one"));
  fs::create_symlink("/dev/full", at("two"));
  EXPECT_EQ(holder("one", "two"), "");
}

TEST_F(ClaimedFilesTest, LendsADeviceToManyPurposes) {
  fs::create_symlink("/dev/null", at("link"));
  ClaimedFiles files;
  for (const std::string& path : {std::string("/dev/null"), std::string("/dev/null"), at("link"), at("link")}) {
    EXPECT_FALSE(files.claim(path, "one")) << path;
    EXPECT_FALSE(files.holder(path)) << path;
  }
}

TEST_F(ClaimedFilesTest, TakesAnEmptyPathForNoFile) {
  ClaimedFiles files;
  EXPECT_FALSE(files.claim("", "one"));
  EXPECT_FALSE(files.claim("", "two"));
  EXPECT_FALSE(files.claim_replaced("", "three"));
}

}  // namespace
}  // namespace walcat
