// Where a replay's report goes, whatever is put there while the replay runs.

#include "cli/report_file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "offsets/temporary_folder.h"

namespace walcat::test {
namespace {

namespace fs = std::filesystem;

class ReportFileTest : public testing::Test {
 protected:
  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "report.json";
  const std::string other_ = folder_ / "other";
  ReportFile report_{path_};
};

TEST_F(ReportFileTest, IsMadeAtTheEnd) {
  ASSERT_TRUE(report_.prepare());
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_TRUE(report_.leave("{}\n"));
  EXPECT_EQ(file_content(path_), "{}\n");
}

TEST_F(ReportFileTest, TakesThePlaceOfOneThatWasThere) {
  put_file(other_, "a longer report\n");
  fs::create_symlink(other_, path_);
  ASSERT_TRUE(report_.prepare());
  EXPECT_EQ(file_content(other_), "a longer report\n");
  EXPECT_TRUE(report_.leave("{}\n"));
  EXPECT_EQ(file_content(other_), "{}\n");
}

TEST_F(ReportFileTest, IsNotMadeThroughALink) {
  fs::create_symlink(other_, path_);
  EXPECT_FALSE(report_.prepare());
  EXPECT_FALSE(fs::exists(other_));
  EXPECT_TRUE(fs::is_symlink(path_));
}

TEST_F(ReportFileTest, WritesNothingThroughALinkThatCameLater) {
  put_file(other_, "of others\n");
  ASSERT_TRUE(report_.prepare());
  fs::create_symlink(other_, path_);
  EXPECT_FALSE(report_.leave("{}\n"));
  EXPECT_EQ(errno, EEXIST);
  fs::remove(path_);
  put_file(path_, "");
  ReportFile second(path_);
  ASSERT_TRUE(second.prepare());
  fs::remove(path_);
  fs::create_symlink(other_, path_);
  EXPECT_FALSE(second.leave("{}\n"));
  EXPECT_EQ(file_content(other_), "of others\n");
}

}  // namespace
}  // namespace walcat::test
