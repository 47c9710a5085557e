// The sink of files, over real files that are moved, deleted and replaced while they are written.

#include "writer/file_sink.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "offsets/temporary_folder.h"

namespace walcat::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FileSinkTest : public testing::Test {
 protected:
  void open() {
    auto opened = open_sink({path_});
    ASSERT_TRUE(opened.is_ok()) << opened.status().message();
    sink_ = std::move(*opened);
  }
  Status write(std::string text) {
    const iovec part{text.data(), text.size()};
    std::size_t accepted = 0;
    return sink_->write({&part, 1}, accepted);
  }
  void put(const std::string& text) { ASSERT_TRUE(write(text).is_ok()); }
  void sync() { ASSERT_TRUE(sink_->sync().is_ok()); }
  void move_to(const std::string& name) { fs::rename(path_, folder_ / name); }
  std::string content(const std::string& name = "out") { return file_content(folder_ / name); }

  const TemporaryFolder folder_;
  const std::string path_ = folder_ / "out";
  std::unique_ptr<Sink> sink_;
};

TEST_F(FileSinkTest, EndsAFileThatWasMovedAndBeginsAnother) {
  open();
  put("1\n");
  sync();
  move_to("old");
  put("2\n");
  EXPECT_FALSE(fs::exists(path_));
  sync();
  put("3\n");
  sync();
  EXPECT_EQ(content("old"), "1\n2\n");
  EXPECT_EQ(content(), "3\n");
  EXPECT_EQ(sink_->errors.counts().size(), 0U) << "this is no fault";
}

TEST_F(FileSinkTest, GoesOnInTheFileThatTookThePlace) {
  open();
  put("1\n");
  move_to("old");
  put_file(path_, "header\n");
  sync();
  put("2\n");
  EXPECT_EQ(content("old"), "1\n");
  EXPECT_EQ(content(), "header\n2\n");
}

TEST_F(FileSinkTest, StaysWhereASymbolicLinkLedAtTheStart) {
  put_file(folder_ / "a", "");
  fs::create_symlink("a", path_);
  open();
  put("1\n");
  sync();
  fs::rename(folder_ / "a", folder_ / "old");
  fs::remove(path_);
  fs::create_symlink("b", path_);
  sync();
  put("2\n");
  EXPECT_EQ(content("old"), "1\n");
  EXPECT_EQ(content("a"), "2\n");
  EXPECT_FALSE(fs::exists(folder_ / "b"));
}

// What may be put at the path once its file is gone, to have walcat change what it leads to.
TEST_F(FileSinkTest, ChangesNothingThroughALinkThatTookThePlace) {
  const std::string other = folder_ / "other";
  const auto plant_link = [&] { fs::create_symlink(other, path_); };
  const auto plant_hard_link = [&] { fs::create_hard_link(other, path_); };
  const auto expect_refusal = [&](const char* reason) {
    const Status synced = sink_->sync();
    EXPECT_EQ(synced.code(), StatusCode::kUnavailable) << synced.message();
    EXPECT_THAT(synced.message(), HasSubstr(reason));
    fs::remove(path_);
    sync();
    put("2\n");
    EXPECT_EQ(content(), "1\n2\n");
  };
  const auto begin = [&] {
    fs::remove(path_);
    open();
    put("1\n");
    fs::remove(path_);
  };
  begin();
  plant_link();
  expect_refusal("has become a symbolic link");
  EXPECT_FALSE(fs::exists(other));
  put_file(other, "half a li");
  begin();
  plant_link();
  expect_refusal("has become a symbolic link");
  begin();
  plant_hard_link();
  expect_refusal("a hard link");
  begin();
  fs::copy_file(other, path_);
  expect_refusal("in the middle of a line");
  EXPECT_EQ(content("other"), "half a li");
}

TEST_F(FileSinkTest, MakesNothingInAFolderThatALinkLeadsTo) {
  fs::create_directory(folder_ / "in");
  fs::create_directory(folder_ / "other");
  sink_ = std::move(*open_sink({folder_ / "in/out"}));
  put("1\n");
  fs::remove_all(folder_ / "in");
  fs::create_directory_symlink("other", folder_ / "in");
  EXPECT_THAT(sink_->sync().message(), HasSubstr("/in has become a symbolic link, and leads to "));
  EXPECT_TRUE(fs::is_empty(folder_ / "other"));
}

TEST_F(FileSinkTest, WritesAgainWhatOnlyADeletedFileHas) {
  open();
  const std::string large(200'000, 'x');
  put("1\n");
  sync();
  put("2\n");
  fs::remove(path_);
  put(large + "\n");
  sync();
  EXPECT_TRUE(content() == "2\n" + large + "\n") << content().size() << " bytes";
  put("4\n");
  fs::remove(path_);
  sync();
  EXPECT_EQ(content(), "4\n");
  fs::remove(path_);
  sync();
  EXPECT_EQ(content(), "") << "nothing was written since";
}

TEST_F(FileSinkTest, KnowsWhetherThereIsSomethingToSync) {
  open();
  EXPECT_FALSE(sink_->has_unsynced());
  put("1\n");
  EXPECT_TRUE(sink_->has_unsynced());
  fs::remove(path_);
  fs::create_directory(path_);
  EXPECT_FALSE(sink_->sync().is_ok());
  EXPECT_TRUE(sink_->has_unsynced());
  fs::remove(path_);
  sync();
  EXPECT_FALSE(sink_->has_unsynced());
}

TEST_F(FileSinkTest, CopiesNoMoreThanABlockOnceItIsInterrupted) {
  for (const auto& [bytes, is_copied] : {std::pair{1'000, true}, {1'000'000, false}}) {
    sink_.reset();
    fs::remove(path_);
    open();
    put(std::string(bytes, 'x') + "\n");
    fs::remove(path_);
    put_file(path_, "header\n");
    sink_->interrupt();
    const Status synced = sink_->sync();
    EXPECT_EQ(synced.is_ok(), is_copied) << synced.message();
    EXPECT_EQ(content().size(), is_copied ? 1'008U : 7U);
    EXPECT_EQ(sink_->errors.counts().size(), 0U);
  }
  EXPECT_EQ(sink_->sync().code(), StatusCode::kUnavailable);
}

// The name that an NFS client gives a file that is deleted while it is open.
TEST_F(FileSinkTest, TakesASillyNameForADeletion) {
  for (const bool is_replaced : {false, true}) {
    open();
    put("1\n");
    sync();
    put("2\n");
    move_to(".nfs0000000000b1a2c300000001");
    if (is_replaced) put_file(path_, "header\n");
    sync();
    EXPECT_EQ(content(), is_replaced ? "header\n2\n" : "2\n");
    fs::remove(path_);
  }
}

void expect_access(const std::string& path, mode_t mode, uid_t owner) {
  struct stat state{};
  ASSERT_EQ(::stat(path.c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 07777, mode) << path;
  EXPECT_EQ(state.st_uid, owner);
  EXPECT_EQ(state.st_gid, owner);
}

TEST_F(FileSinkTest, GivesANewFileTheAccessOfTheOneBefore) {
  const uid_t owner = ::geteuid() == 0 ? 12345 : ::geteuid();
  for (const mode_t mode : {0600U, 0664U}) {
    open();
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    // Only root gives files away; to their owner they may be given by all.
    ASSERT_EQ(::chown(path_.c_str(), owner, owner), 0);
    put("1\n");
    move_to("old");
    sync();
    expect_access(path_, mode, owner);
    fs::remove(path_);
    put("2\n");
    sync();
    expect_access(path_, mode, owner);
    EXPECT_EQ(content(), "2\n");
    fs::remove(path_);
  }
}

TEST_F(FileSinkTest, LeavesTheAccessOfAFileThatTookThePlace) {
  open();
  ASSERT_EQ(::chmod(path_.c_str(), 0600), 0);
  put("1\n");
  move_to("old");
  put_file(path_, "");
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  sync();
  expect_access(path_, 0640, ::geteuid());
}

TEST_F(FileSinkTest, KnowsItsLinesInAFileThatWasTruncated) {
  open();
  put("1 is long enough\n");
  sync();
  put("2\n");
  fs::resize_file(path_, 0);
  put("3\n");
  EXPECT_EQ(content(), "3\n");
  fs::remove(path_);
  sync();
  EXPECT_EQ(content(), "3\n");
}

// What is in the way of another file at the path.
struct Obstacle {
  std::string name;
  void (*put)(const std::string& path);
  std::string reason;
};

const std::vector<Obstacle> kObstacles{
    {"Folder", [](const std::string& path) { fs::create_directory(path); }, "Is a directory"},
    {"Pipe", [](const std::string& path) { ::mkfifo(path.c_str(), 0600); }, "not a regular file"},
    {"DeadLink", [](const std::string& path) { fs::create_symlink("/nowhere/at/all", path); },
     "has become a symbolic link"},
    {"NoFolder", [](const std::string& path) { fs::remove(fs::path(path).parent_path()); }, "No such file"},
};

class ObstructedSink : public FileSinkTest, public testing::WithParamInterface<Obstacle> {
 protected:
  ObstructedSink() { fs::create_directory(folder_ / "in"); }
};

TEST_P(ObstructedSink, ConfirmsNothingThatOnlyADeletedFileHas) {
  const std::string path = folder_ / "in/out";
  sink_ = std::move(*open_sink({path}));
  put("1\n");
  sync();
  put("2\n");
  fs::remove(path);
  GetParam().put(path);
  const Status synced = sink_->sync();
  EXPECT_EQ(synced.code(), StatusCode::kUnavailable);
  EXPECT_THAT(synced.message(), HasSubstr(path));
  EXPECT_THAT(synced.message(), HasSubstr(GetParam().reason));
  EXPECT_EQ(sink_->errors.counts().size(), 1U);

  // A write waits, and goes on as soon as there is a file again.
  Status written;
  std::thread writer([&] { written = write("3\n"); });
  fs::remove(path);
  fs::create_directories(folder_ / "in");
  writer.join();
  EXPECT_TRUE(written.is_ok());
  EXPECT_TRUE(sink_->sync().is_ok());
  EXPECT_EQ(file_content(path), "2\n3\n");
}

INSTANTIATE_TEST_SUITE_P(All, ObstructedSink, testing::ValuesIn(kObstacles),
                         [](const auto& info) { return info.param.name; });

TEST_F(FileSinkTest, ConfirmsWhatAMovedFileHasAndTakesNoMoreWithoutAnother) {
  open();
  put("1\n");
  move_to("old");
  const auto other = open_sink({path_});
  ASSERT_TRUE(other.is_ok());
  sync();
  Status written;
  std::thread writer([&] { written = write("2\n"); });
  sink_->interrupt();
  writer.join();
  EXPECT_EQ(written.code(), StatusCode::kStopped);
  EXPECT_EQ(content("old"), "1\n");
  EXPECT_EQ(content(), "");
}

// Numbered lines that one thread writes, while another does something to the file and syncs.
class BusySink : public FileSinkTest {
 protected:
  void begin() {
    open();
    writer_ = std::thread([this] {
      for (int number = 0; !done_; number += 3) {
        std::string lines;
        for (int i = 0; i < 3; ++i) lines += std::to_string(number + i) + "\n";
        ASSERT_TRUE(write(lines).is_ok());
        written_ = number + 3;
      }
    });
  }
  void end() {
    done_ = true;
    writer_.join();
    sync();
  }
  void wait_for_more() {
    for (const int before = written_; written_ < before + 30;) std::this_thread::yield();
  }
  std::vector<int> numbers(const std::string& name = "out") {
    // The last line may be read while it is written.
    const std::string text = content(name);
    std::istringstream lines(text.substr(0, text.rfind('\n') + 1));
    std::vector<int> all;
    for (int number; lines >> number;) all.push_back(number);
    return all;
  }

  std::thread writer_;
  std::atomic<bool> done_{false};
  std::atomic<int> written_{0};
};

TEST_F(BusySink, HasEveryLineOnceInTheFilesThatWereMoved) {
  begin();
  std::vector<int> all;
  for (int round = 0; round < 10; ++round) {
    wait_for_more();
    move_to("old");
    sync();
    for (const int number : numbers("old")) all.push_back(number);
  }
  end();
  for (const int number : numbers()) all.push_back(number);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(written_));
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(all[i], static_cast<int>(i));
}

TEST_F(BusySink, HasEveryLineThatWasNotSeenBeforeADeletion) {
  begin();
  for (int round = 0; round < 10; ++round) {
    wait_for_more();
    sync();
    const auto seen = numbers();
    fs::remove(path_);
    wait_for_more();
    const int written = written_;
    sync();
    const auto found = numbers();
    ASSERT_LE(found.front(), seen.back() + 1);
    ASSERT_GE(found.back(), written - 1);
    for (std::size_t i = 0; i + 1 < found.size(); ++i) ASSERT_EQ(found[i] + 1, found[i + 1]);
  }
  end();
}

TEST_F(FileSinkTest, GoesOnInADeletedFileThatIsStdout) {
  const int saved = ::dup(STDOUT_FILENO);
  std::fflush(stdout);
  const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ::dup2(fd, STDOUT_FILENO);
  sink_ = std::move(*open_sink({}));
  fs::remove(path_);
  const Status written = write("1\n");
  const Status synced = sink_->sync();
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  EXPECT_TRUE(written.is_ok());
  EXPECT_TRUE(synced.is_ok());
  EXPECT_EQ(sink_->errors.counts().size(), 1U) << "it was told";
  struct stat state{};
  ASSERT_EQ(::fstat(fd, &state), 0);
  EXPECT_EQ(state.st_size, 2);
  ::close(fd);
}

}  // namespace
}  // namespace walcat::test
