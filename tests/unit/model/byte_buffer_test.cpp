#include "walcat/model/byte_buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <string>

#include "base/scarce_memory.h"

namespace walcat::test {
namespace {

TEST(ByteBuffer, KeepsItsBytesWhileItGrows) {
  ByteBuffer buffer(0);
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string text(static_cast<std::size_t>(i % 17), static_cast<char>('a' + i % 26));
    buffer.append(text);
    expected += text;
    ASSERT_LE(buffer.size(), buffer.capacity());
  }
  EXPECT_EQ(buffer.view(), expected);
}

TEST(ByteBuffer, AtLeastDoublesWhenItGrows) {
  ByteBuffer buffer(100);
  buffer.append(std::string(100, 'x'));
  EXPECT_EQ(buffer.capacity(), 100U);
  buffer.ensure(1);
  EXPECT_EQ(buffer.capacity(), 200U);
  buffer.ensure(1000);
  EXPECT_EQ(buffer.capacity(), 1100U);
  buffer.ensure(1000);
  EXPECT_EQ(buffer.capacity(), 1100U);
}

TEST(ByteBuffer, OwnsSlackBehindItsCapacity) {
  for (const std::size_t capacity : {0U, 1U, 63U, 64U, 1000U}) {
    ByteBuffer buffer(capacity);
    buffer.append(std::string(capacity, 'x'));
    std::memset(buffer.end(), 'y', ByteBuffer::kSlack);
    EXPECT_EQ(buffer.view(), std::string(capacity, 'x'));
  }
}

TEST(ByteBuffer, TakesWhatIsWrittenAtItsEnd) {
  ByteBuffer buffer(8);
  buffer.append("ab");
  std::memcpy(buffer.end(), "cd", 2);
  buffer.set_end(buffer.end() + 2);
  EXPECT_EQ(buffer.view(), "abcd");
}

TEST(ByteBuffer, GivesBackMemoryPastTheBoundWhenCleared) {
  ByteBuffer buffer(100);
  buffer.append(std::string(1000, 'x'));
  buffer.clear(100);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.capacity(), 100U);
  const char* kept = buffer.data();
  buffer.append("abc");
  buffer.clear(100);
  EXPECT_EQ(buffer.data(), kept) << "memory within the bound is kept";
}

TEST(ByteBuffer, CanBeFilledAfterMemoryWasRefused) {
  if (!ScarceMemory::kIsPossible) GTEST_SKIP() << "under a sanitizer";
  ByteBuffer buffer(std::size_t{512} << 20);
  {
    // Less than what the buffer gives back: none of it can be had again.
    const ScarceMemory scarce(-(std::int64_t{256} << 20));
    EXPECT_THROW(buffer.clear(std::size_t{384} << 20), std::bad_alloc);
  }
  EXPECT_EQ(buffer.capacity(), 0U);
  buffer.append("abc");
  EXPECT_EQ(buffer.view(), "abc");
}

}  // namespace
}  // namespace walcat::test
