#include "pipeline/room_thread.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

namespace walcat::test {
namespace {

TEST(RoomThread, NamesTheThreadThatNoDatabaseCanDoWithoutAndLeaves) {
  EXPECT_EXIT(leave_for("writer", std::bad_alloc()), testing::ExitedWithCode(71),
              "out of memory in the writer .*walcat ends");
}

TEST(RoomThread, LeavesByAnotherStatusWhereTheFaultIsOurs) {
  EXPECT_EXIT(guarded("keeper", [] { throw std::logic_error("lost count"); }), testing::ExitedWithCode(70),
              "internal error in the keeper thread: lost count");
}

}  // namespace
}  // namespace walcat::test
