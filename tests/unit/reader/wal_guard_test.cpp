// What is worth a line about the log that a slot retains, and what is not.

#include "walcat/reader/wal_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace walcat::test {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

class WalGuardTest : public testing::Test {
 protected:
  // The server's slot retains `retained` MiB and the output is `lag` MiB behind, `later` seconds after the last look.
  std::vector<std::string> look(std::uint64_t retained, std::uint64_t lag = 0, int later = 30) {
    now_ += seconds(later);
    current_ = Lsn{current_.value + 64 * kMiB};
    usage_.current = current_;
    usage_.restart = Lsn{current_.value - retained * kMiB};
    return texts(guard_.look(usage_, Lsn{current_.value - lag * kMiB}, now_));
  }
  static std::vector<std::string> texts(const std::vector<WalGuard::Remark>& remarks) {
    std::vector<std::string> texts;
    for (const auto& remark : remarks) {
      texts.push_back(std::string(log::level_name(remark.level)) + ": " + remark.text);
    }
    return texts;
  }

  SlotUsage usage_;
  WalGuardOptions options_{seconds(30), {1000 * kMiB, 100 * kMiB}};
  WalGuard guard_{options_};
  Lsn current_{1ULL << 40};
  WalGuard::Clock::time_point now_;
};

TEST_F(WalGuardTest, WarnsOnceForEachSizeThatIsPassed) {
  EXPECT_THAT(look(99), IsEmpty());
  EXPECT_THAT(look(101), ElementsAre("warning: the slot retains 101.0 MiB of the server's log, more than 100.0 MiB "
                                     "(wal_guard.warn_at)"));
  EXPECT_THAT(look(500), IsEmpty());
  EXPECT_THAT(look(1500), ElementsAre(HasSubstr("1.5 GiB of the server's log, more than 1000.0 MiB")));
  EXPECT_THAT(look(3000), IsEmpty());
}

TEST_F(WalGuardTest, WarnsOnceWhereTwoSizesArePassedAtOnce) {
  EXPECT_THAT(look(2000), ElementsAre(HasSubstr("more than 1000.0 MiB")));
  EXPECT_THAT(look(2000), IsEmpty());
}

TEST_F(WalGuardTest, WarnsAgainOnlyAfterMuchLessWasRetained) {
  look(101);
  for (const std::uint64_t retained : {99, 101, 85, 120}) EXPECT_THAT(look(retained), IsEmpty());
  EXPECT_THAT(look(79), ElementsAre("info: the slot retains 79.0 MiB of the server's log, less than 100.0 MiB again"));
  EXPECT_THAT(look(99), IsEmpty());
  EXPECT_THAT(look(100), ElementsAre(HasSubstr("more than 100.0 MiB")));
}

TEST_F(WalGuardTest, FallsPastSeveralSizesInOneLine) {
  look(2000);
  EXPECT_THAT(look(1), ElementsAre(HasSubstr("less than 100.0 MiB again")));
  EXPECT_THAT(look(2000), ElementsAre(HasSubstr("more than 1000.0 MiB")));
}

TEST_F(WalGuardTest, IsQuietWithoutSizesAndLimits) {
  guard_ = WalGuard({seconds(30), {}});
  EXPECT_THAT(look(1'000'000), IsEmpty());
}

TEST_F(WalGuardTest, ASlotThatHasReservedNothingRetainsNothing) {
  usage_.current = Lsn{1ULL << 50};
  EXPECT_THAT(texts(guard_.look(usage_, usage_.current, now_)), IsEmpty());
}

TEST_F(WalGuardTest, WarnsBeforeTheServerInvalidatesTheSlot) {
  usage_.limit_bytes = 100 * static_cast<std::int64_t>(kMiB);
  const auto safe = [&](std::int64_t mib, const char* status) {
    usage_.safe_bytes = mib * static_cast<std::int64_t>(kMiB);
    usage_.wal_status = status;
    return look(1);
  };
  EXPECT_THAT(safe(90, "reserved"), IsEmpty());
  EXPECT_THAT(safe(26, "extended"), IsEmpty());
  EXPECT_THAT(safe(24, "extended"),
              ElementsAre(HasSubstr("warning: the server writes 24.0 MiB more and then may "
                                    "invalidate the slot (max_slot_wal_keep_size is 100.0 MiB)")));
  EXPECT_THAT(safe(30, "extended"), IsEmpty());
  EXPECT_THAT(safe(5, "extended"), IsEmpty());
  EXPECT_THAT(safe(-3, "unreserved"), ElementsAre(HasSubstr("error: the slot retains more than the server's "
                                                            "max_slot_wal_keep_size of 100.0 MiB")));
  EXPECT_THAT(safe(-9, "unreserved"), IsEmpty());
  EXPECT_THAT(safe(80, "reserved"), ElementsAre(HasSubstr("info: the slot is safe from max_slot_wal_keep_size")));
  EXPECT_THAT(safe(10, "extended"), ElementsAre(HasSubstr("10.0 MiB more")));
}

TEST_F(WalGuardTest, WarnsOnceOfALogThatEndsBeforeWhatIsWritten) {
  const auto look_beyond = [&](std::uint64_t beyond) {
    usage_.current = Lsn{0x500};
    return texts(guard_.look(usage_, Lsn{0x500 + beyond}, now_));
  };
  EXPECT_THAT(look_beyond(1), IsEmpty()) << "it may be a standby that is a moment behind";
  EXPECT_THAT(look_beyond(0), IsEmpty());
  EXPECT_THAT(look_beyond(1), IsEmpty());
  EXPECT_THAT(look_beyond(2),
              ElementsAre(HasSubstr("warning: the server's log ends at 0/500, but the lines go up to 0/502")));
  EXPECT_THAT(look_beyond(2), IsEmpty());
}

TEST_F(WalGuardTest, TellsALagThatLasts) {
  EXPECT_THAT(look(0, 20), IsEmpty()) << "it may be gone in a moment";
  EXPECT_THAT(look(0, 84), ElementsAre("info: the output is 84.0 MiB and 30 s behind the server"));
  EXPECT_THAT(look(0, 148), IsEmpty());
  EXPECT_THAT(look(0, 212), ElementsAre("info: the output is 212.0 MiB and 90 s behind the server"));
  EXPECT_THAT(look(0, 0), ElementsAre("info: the output has caught up with the server"));
  EXPECT_THAT(look(0, 0), IsEmpty());
}

TEST_F(WalGuardTest, MeasuresTheAgeOfALagFromWhereTheOutputIsNow) {
  look(0, 20);
  look(0, 84);
  look(0, 148);
  // The output has passed where the server stood at the first look.
  EXPECT_THAT(look(0, 168), ElementsAre(HasSubstr("168.0 MiB and 60 s")));
}

TEST_F(WalGuardTest, IsQuietAboutABusyServerThatIsFollowedClosely) {
  for (int i = 0; i < 1000; ++i) EXPECT_THAT(look(0, i % 15), IsEmpty());
}

TEST_F(WalGuardTest, TellsALongLagNowAndThen) {
  int told = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) told += static_cast<int>(look(0, 1000 + i % 7, 1).size());
  EXPECT_GT(told, 10);
  EXPECT_LT(told, 100);
}

}  // namespace
}  // namespace walcat::test
