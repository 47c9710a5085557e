// The real sink over real descriptors: pipes, sockets, files and devices.

#include "writer/fd_sink.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "offsets/temporary_folder.h"

namespace walcat::test {
namespace {

using testing::HasSubstr;

class FdSinkTest : public testing::Test {
 protected:
  // As main() does.
  FdSinkTest() { std::signal(SIGPIPE, SIG_IGN); }
};

using FileSink = FdSinkTest;

struct Pipe {
  Pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    reader = fds[0];
    writer = fds[1];
    ::fcntl(writer, F_SETFL, O_NONBLOCK);
  }
  ~Pipe() {
    close_reader();
    ::close(writer);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_reader() {
    if (reader >= 0) ::close(reader);
    reader = -1;
  }

  int reader;
  int writer;
};

std::vector<iovec> parts_of(const std::vector<std::string>& texts) {
  std::vector<iovec> parts;
  for (const std::string& text : texts) parts.push_back({const_cast<char*>(text.data()), text.size()});
  return parts;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text;
  return all;
}

// Reads until the end, or until `most` bytes.
std::string drain(int fd, std::size_t step, std::size_t most = ~std::size_t{0}) {
  std::string all;
  std::string block(step, '\0');
  while (all.size() < most) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got <= 0) break;
    all.append(block, 0, static_cast<std::size_t>(got));
    std::this_thread::yield();
  }
  return all;
}

std::vector<std::string> many_texts(std::size_t count, std::size_t largest) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) texts.emplace_back(i * 7919 % (largest + 1), static_cast<char>('a' + i % 26));
  return texts;
}

TEST_F(FdSinkTest, WritesMorePartsThanASystemCallTakes) {
  Pipe pipe;
  FdSink sink(pipe.writer, false, FdSink::Kind::kStream, "pipe");
  for (const std::size_t count : {0U, 1U, 255U, 256U, 257U, 512U, 2000U}) {
    const auto texts = many_texts(count, 20);
    std::size_t accepted = 99;
    ASSERT_TRUE(sink.write(parts_of(texts), accepted).is_ok());
    ASSERT_EQ(accepted, joined(texts).size());
    ASSERT_EQ(drain(pipe.reader, 1 << 16, accepted), joined(texts));
  }
}

TEST_F(FdSinkTest, SkipsEmptyParts) {
  Pipe pipe;
  FdSink sink(pipe.writer, false, FdSink::Kind::kStream, "pipe");
  std::vector<std::string> texts(700);
  texts[3] = "a";
  texts[256] = "b";
  texts[699] = "c";
  std::size_t accepted = 0;
  ASSERT_TRUE(sink.write(parts_of(texts), accepted).is_ok());
  EXPECT_EQ(accepted, 3U);
  EXPECT_EQ(drain(pipe.reader, 16, 3), "abc");
}

TEST_F(FdSinkTest, WaitsForASlowReader) {
  Pipe pipe;
  const auto texts = many_texts(600, 20'000);
  std::string seen;
  std::thread reader([&] { seen = drain(pipe.reader, 4999); });
  std::size_t accepted = 0;
  Status status;
  {
    FdSink sink(::dup(pipe.writer), true, FdSink::Kind::kStream, "pipe");
    ::close(std::exchange(pipe.writer, -1));
    status = sink.write(parts_of(texts), accepted);
  }
  reader.join();
  EXPECT_TRUE(status.is_ok()) << status.message();
  EXPECT_EQ(accepted, joined(texts).size());
  EXPECT_TRUE(seen == joined(texts));
}

TEST_F(FdSinkTest, IsInterruptedWhereTheDescriptorBlocksForOthersUseItToo) {
  Pipe pipe;
  ::fcntl(pipe.writer, F_SETFL, 0);
  FdSink sink(pipe.writer, false, FdSink::Kind::kShared, "stdout");
  const std::vector<std::string> texts(40, std::string(10'000, 'x'));
  std::size_t accepted = 0;
  Status status;
  std::thread writer([&] { status = sink.write(parts_of(texts), accepted); });
  const auto unread = [&] {
    int bytes = 0;
    return ::ioctl(pipe.reader, FIONREAD, &bytes) == 0 ? bytes : -1;
  };
  // Full: no room for what is written at once.
  for (pollfd room{pipe.writer, POLLOUT, 0}; ::poll(&room, 1, 0) != 0;) std::this_thread::yield();
  sink.interrupt();
  writer.join();
  EXPECT_EQ(status.code(), StatusCode::kStopped);
  EXPECT_EQ(accepted, static_cast<std::size_t>(unread()));
}

TEST_F(FdSinkTest, WritesAllWhereTheDescriptorBlocks) {
  Pipe pipe;
  ::fcntl(pipe.writer, F_SETFL, 0);
  std::vector<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.push_back(std::string(i % 7 == 0 ? 0 : i * 31, static_cast<char>('a' + i % 26)));
  std::size_t accepted = 0;
  std::thread writer([&] {
    FdSink sink(::dup(pipe.writer), true, FdSink::Kind::kShared, "stdout");
    EXPECT_TRUE(sink.write(parts_of(texts), accepted).is_ok());
  });
  EXPECT_EQ(drain(pipe.reader, 1000, joined(texts).size()), joined(texts));
  writer.join();
  EXPECT_EQ(accepted, joined(texts).size());
}

TEST_F(FdSinkTest, WaitsForASlowReaderOfASocket) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  const auto texts = many_texts(300, 20'000);
  std::string seen;
  std::thread reader([&] { seen = drain(fds[0], 4999); });
  std::size_t accepted = 0;
  Status status;
  {
    FdSink sink(fds[1], true, FdSink::Kind::kSocket, "socket");
    status = sink.write(parts_of(texts), accepted);
  }
  reader.join();
  EXPECT_TRUE(status.is_ok()) << status.message();
  EXPECT_TRUE(seen == joined(texts));
  ::close(fds[0]);
}

TEST_F(FdSinkTest, FailsWhenNobodyReads) {
  Pipe pipe;
  pipe.close_reader();
  FdSink sink(pipe.writer, false, FdSink::Kind::kStream, "stdout");
  std::size_t accepted = 99;
  const Status status = sink.write(parts_of({"line\n"}), accepted);
  EXPECT_EQ(status.code(), StatusCode::kOutputFailed);
  EXPECT_THAT(status.message(), HasSubstr("stdout"));
  EXPECT_THAT(status.message(), HasSubstr("closed the pipe"));
  EXPECT_EQ(accepted, 0U);
}

TEST_F(FdSinkTest, FailsWhenTheReaderLeavesInTheMiddle) {
  Pipe pipe;
  FdSink sink(pipe.writer, false, FdSink::Kind::kStream, "stdout");
  const std::string large(4 << 20, 'x');
  std::thread reader([&] {
    drain(pipe.reader, 4096, 1 << 20);
    pipe.close_reader();
  });
  std::size_t accepted = 0;
  const Status status = sink.write(parts_of({large}), accepted);
  reader.join();
  EXPECT_EQ(status.code(), StatusCode::kOutputFailed);
  EXPECT_GE(accepted, std::size_t{1} << 20);
  EXPECT_LT(accepted, large.size());
}

TEST_F(FdSinkTest, FailsOnAClosedSocketWithoutASignal) {
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  ::close(fds[0]);
  std::signal(SIGPIPE, SIG_DFL);
  FdSink sink(fds[1], true, FdSink::Kind::kSocket, "socket");
  std::size_t accepted = 0;
  EXPECT_EQ(sink.write(parts_of({"line\n"}), accepted).code(), StatusCode::kOutputFailed);
}

TEST_F(FdSinkTest, GivesUpABlockedWriteWhenInterrupted) {
  Pipe pipe;
  FdSink sink(pipe.writer, false, FdSink::Kind::kStream, "pipe");
  const std::string large(4 << 20, 'x');
  std::size_t accepted = 0;
  Status status;
  std::thread writer([&] { status = sink.write(parts_of({large}), accepted); });
  for (pollfd full{pipe.writer, POLLOUT, 0}; ::poll(&full, 1, 0) > 0;) std::this_thread::yield();
  sink.interrupt();
  writer.join();
  EXPECT_EQ(status.code(), StatusCode::kStopped);
  int waiting = 0;
  ASSERT_EQ(::ioctl(pipe.reader, FIONREAD, &waiting), 0);
  EXPECT_EQ(accepted, static_cast<std::size_t>(waiting));
}

TEST_F(FdSinkTest, StaysInterrupted) {
  Pipe pipe;
  FdSink sink(pipe.writer, false, FdSink::Kind::kStream, "pipe");
  sink.interrupt();
  for (int i = 0; i < 2; ++i) {
    std::size_t accepted = 99;
    EXPECT_EQ(sink.write(parts_of({"line\n"}), accepted).code(), StatusCode::kStopped);
    EXPECT_EQ(accepted, 0U);
  }
}

TEST_F(FdSinkTest, LetsOthersWatchWhetherAnybodyReads) {
  Pipe pipe;
  const FdSink sink(pipe.writer, false, FdSink::Kind::kStream, "pipe");
  pollfd watched{sink.watch_fd(), 0, 0};
  EXPECT_EQ(::poll(&watched, 1, 0), 0);
  pipe.close_reader();
  EXPECT_EQ(::poll(&watched, 1, 0), 1);
  EXPECT_TRUE((watched.revents & (POLLERR | POLLHUP)) != 0);
}

TEST_F(FdSinkTest, HasNothingToSyncInAPipe) {
  Pipe pipe;
  EXPECT_TRUE(FdSink(pipe.writer, false, FdSink::Kind::kStream, "pipe").sync().is_ok());
}

// Files.

Status append(const std::string& path, const std::string& text) {
  const auto sink = open_sink({path});
  if (!sink.is_ok()) return sink.status();
  std::size_t accepted = 0;
  const Status written = (*sink)->write(parts_of({text}), accepted);
  if (!written.is_ok()) return written;
  EXPECT_EQ(accepted, text.size());
  return (*sink)->sync();
}

TEST_F(FileSink, MakesAFileAndAppendsToIt) {
  const TemporaryFolder folder;
  EXPECT_TRUE(append(folder / "out", "1\n").is_ok());
  EXPECT_TRUE(append(folder / "out", "2\n").is_ok());
  EXPECT_EQ(file_content(folder / "out"), "1\n2\n");
  EXPECT_EQ((*open_sink({folder / "out"}))->watch_fd(), -1);
}

TEST_F(FileSink, CutsATornLastLine) {
  const TemporaryFolder folder;
  const std::string path = folder / "out";
  const std::string long_tail(200'000, 't');
  struct Case {
    std::string found;
    std::string kept;
  };
  const std::vector<Case> cases{
      {"", ""},
      {"\n", "\n"},
      {"only a torn line", ""},
      {"whole\n", "whole\n"},
      {"whole\ntorn", "whole\n"},
      {"a\nb\n\n{", "a\nb\n\n"},
      {long_tail, ""},
      {"whole\n" + long_tail, "whole\n"},
      {long_tail + "\n" + long_tail, long_tail + "\n"},
      {std::string(65535, 'x') + "\n" + std::string(65536, 'y'), std::string(65535, 'x') + "\n"},
      {std::string(10, 'x') + "\n" + std::string(65535, 'y'), std::string(10, 'x') + "\n"}};
  for (const Case& one : cases) {
    put_file(path, one.found);
    ASSERT_TRUE(append(path, "next\n").is_ok());
    EXPECT_TRUE(file_content(path) == one.kept + "next\n") << one.found.size() << " bytes";
  }
}

TEST_F(FileSink, RefusesAFileThatAnotherWritesTo) {
  const TemporaryFolder folder;
  const std::string path = folder / "out";
  {
    const auto first = open_sink({path});
    ASSERT_TRUE(first.is_ok());
    put_file(path, "half a li");
    const auto second = open_sink({path});
    EXPECT_EQ(second.status().code(), StatusCode::kOutputFailed);
    EXPECT_THAT(second.status().message(), HasSubstr(path));
    EXPECT_THAT(second.status().message(), HasSubstr("another process"));
    EXPECT_EQ(file_content(path), "half a li") << "the other one's line was cut";
  }
  EXPECT_TRUE(open_sink({path}).is_ok());
}

TEST_F(FileSink, FailsOnAFullDisk) {
  const Status status = append("/dev/full", "line\n");
  EXPECT_EQ(status.code(), StatusCode::kOutputFailed);
  EXPECT_THAT(status.message(), HasSubstr("/dev/full"));
  EXPECT_THAT(status.message(), HasSubstr("No space left"));
}

TEST_F(FileSink, WritesToADevice) { EXPECT_TRUE(append("/dev/null", "line\n").is_ok()); }

TEST_F(FileSink, WritesToANamedPipe) {
  const TemporaryFolder folder;
  const std::string path = folder / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const auto sink = open_sink({path});
  ASSERT_TRUE(sink.is_ok()) << sink.status().message();
  EXPECT_GE((*sink)->watch_fd(), 0);
  std::size_t accepted = 0;
  EXPECT_TRUE((*sink)->write(parts_of({"line\n"}), accepted).is_ok());
  EXPECT_EQ(drain(reader, 16, 5), "line\n");
  ::close(reader);
}

TEST_F(FileSink, NamesAPathThatCannotBeOpened) {
  const TemporaryFolder folder;
  const auto missing = open_sink({folder / "missing/out"});
  EXPECT_EQ(missing.status().code(), StatusCode::kOutputFailed);
  EXPECT_THAT(missing.status().message(), HasSubstr(folder / "missing/out"));
  EXPECT_EQ(open_sink({folder / "."}).status().code(), StatusCode::kOutputFailed);
}

// Standard output, put aside for the length of a case.
class OtherStdout {
 public:
  explicit OtherStdout(int fd) : saved_(::dup(STDOUT_FILENO)) {
    std::fflush(stdout);
    ::dup2(fd, STDOUT_FILENO);
  }
  ~OtherStdout() {
    ::dup2(saved_, STDOUT_FILENO);
    ::close(saved_);
  }
  OtherStdout(const OtherStdout&) = delete;
  OtherStdout& operator=(const OtherStdout&) = delete;

 private:
  int saved_;
};

TEST_F(FdSinkTest, LeavesTheFlagsOfStdoutAlone) {
  Pipe pipe;
  ::fcntl(pipe.writer, F_SETFL, 0);
  int flags_of_stdout = 0;
  int flags_of_sink = 0;
  Status status;
  {
    const OtherStdout replaced(pipe.writer);
    const auto sink = open_sink({});
    std::size_t accepted = 0;
    status = (*sink)->write(parts_of({"line\n"}), accepted);
    flags_of_stdout = ::fcntl(STDOUT_FILENO, F_GETFL);
    flags_of_sink = ::fcntl((*sink)->watch_fd(), F_GETFL);
  }
  EXPECT_TRUE(status.is_ok()) << status.message();
  EXPECT_EQ(flags_of_stdout & O_NONBLOCK, 0);
  EXPECT_EQ(flags_of_sink & O_NONBLOCK, O_NONBLOCK);
  EXPECT_EQ(drain(pipe.reader, 16, 5), "line\n");
}

TEST_F(FileSink, TakesStdoutThatIsAFileAsItStands) {
  const TemporaryFolder folder;
  const std::string path = folder / "out";
  put_file(path, "somebody's torn line");
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  Status status;
  int watched = 0;
  {
    const OtherStdout replaced(fd);
    const auto sink = open_sink({});
    std::size_t accepted = 0;
    status = (*sink)->write(parts_of({"line\n"}), accepted);
    watched = (*sink)->watch_fd();
  }
  ::close(fd);
  EXPECT_TRUE(status.is_ok()) << status.message();
  EXPECT_EQ(watched, -1);
  EXPECT_EQ(file_content(path), "somebody's torn lineline\n");
}

}  // namespace
}  // namespace walcat::test
