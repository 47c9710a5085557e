#include "writer/pipe_room.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace walcat::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr int kUsual = 64 << 10;

class PipeRoomTest : public testing::Test {
 protected:
  PipeRoomTest() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK), 0); }
  ~PipeRoomTest() override {
    for (const int end : ends_) ::close(end);
  }
  int size() const { return ::fcntl(ends_[1], F_GETPIPE_SZ); }

  std::array<int, 2> ends_{};
};

TEST_F(PipeRoomTest, a_quick_reader_is_given_more) {
  PipeRoom room(ends_[1]);
  room.was_full(kMiB, milliseconds(1));
  EXPECT_EQ(size(), kUsual) << "too little was seen";
  room.was_full(4 * kMiB, milliseconds(4));
  EXPECT_EQ(size(), static_cast<int>(kMiB));
}

TEST_F(PipeRoomTest, from_a_slow_reader_it_is_taken_again_once_it_is_free) {
  PipeRoom room(ends_[1]);
  room.was_full(8 * kMiB, milliseconds(8));
  const std::string held(200 << 10, 'x');
  ASSERT_EQ(::write(ends_[1], held.data(), held.size()), static_cast<ssize_t>(held.size()));
  room.was_full(4 * kMiB, seconds(1));
  EXPECT_EQ(size(), static_cast<int>(kMiB)) << "it is not free";
  std::string read(held.size(), '\0');
  ASSERT_EQ(::read(ends_[0], read.data(), read.size()), static_cast<ssize_t>(held.size()));
  room.was_full(4 * kMiB, seconds(1));
  EXPECT_EQ(size(), kUsual);
}

TEST_F(PipeRoomTest, one_that_neither_hurries_nor_sleeps_keeps_what_it_has) {
  PipeRoom room(ends_[1]);
  room.was_full(8 * kMiB, milliseconds(80));
  EXPECT_EQ(size(), kUsual);
}

TEST_F(PipeRoomTest, what_is_no_pipe_is_left_alone) {
  const int fd = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  PipeRoom(fd).was_full(8 * kMiB, milliseconds(1));
  ::close(fd);
}

}  // namespace
}  // namespace walcat::test
