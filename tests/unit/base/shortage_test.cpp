#include "walcat/base/shortage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <filesystem>
#include <ios>
#include <new>
#include <stdexcept>

namespace walcat {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Shortage, IsWhatTheMachineRefuses) {
  EXPECT_TRUE(is_shortage(std::bad_alloc()));
  EXPECT_TRUE(is_shortage(std::system_error(EMFILE, std::generic_category(), "eventfd")));
  for (const int refusal : {ENOMEM, EAGAIN, ENFILE, ENOSPC}) {
    EXPECT_TRUE(is_shortage(std::system_error(refusal, std::system_category()))) << refusal;
  }
  EXPECT_FALSE(is_shortage(std::length_error("vector")));
}

TEST(Shortage, IsNotAllThatTheLibraryTellsAsAnErrorOfTheSystem) {
  EXPECT_FALSE(is_shortage(std::system_error(EDEADLK, std::generic_category(), "mutex")));
  EXPECT_FALSE(is_shortage(std::ios_base::failure("stream")));
  EXPECT_FALSE(is_shortage(
      std::filesystem::filesystem_error("rename", std::make_error_code(std::errc::no_such_file_or_directory))));
  EXPECT_EQ(status_of(std::ios_base::failure("stream"), "decoder").code(), StatusCode::kInternal);
}

TEST(Shortage, OfMemoryNamesWhoNeededItAndTheLimit) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &before), 0);
  // Far more than a sanitizer takes.
  rlimit lower = before;
  lower.rlim_cur = rlim_t{1} << 50;
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &lower), 0);
  const Status status = status_of(std::bad_alloc(), "decoder");
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &before), 0);
  EXPECT_EQ(status.code(), StatusCode::kRefused) << "the same row comes again";
  EXPECT_THAT(status.message(), AllOf(HasSubstr("out of memory in the decoder (ulimit -v 1099511627776"),
                                      HasSubstr("pipeline.memory_limit")));
}

TEST(Shortage, OfThreadsNamesThemAndTheLimit) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NPROC, &before), 0);
  rlimit lower = before;
  lower.rlim_cur = 12345;
  ASSERT_EQ(::setrlimit(RLIMIT_NPROC, &lower), 0);
  const Status status = no_thread("reader", std::system_error(EAGAIN, std::generic_category()));
  ASSERT_EQ(::setrlimit(RLIMIT_NPROC, &before), 0);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("no reader thread can be made: "), HasSubstr("(ulimit -u 12345"),
                                      HasSubstr("TasksMax=")));
}

TEST(Shortage, OfSomethingElseMayEnd) {
  const Status status = status_of(std::system_error(EMFILE, std::generic_category(), "eventfd"), "watch");
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("the system refuses the watch: eventfd: "));
}

TEST(Shortage, IsNoneWhereTheFaultIsOurs) {
  const Status status = status_of(std::length_error("vector"), "decoder");
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_EQ(status.message(), "vector");
}

}  // namespace
}  // namespace walcat
