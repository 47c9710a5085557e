// What is taken of a stream's messages, and when.

#include "reader/signal_intake.h"

#include <gtest/gtest.h>

#include <string>

#include "xlog_frames.h"

namespace walcat::test {
namespace {

// From behind the byte that names its kind.
std::string message(const std::string& content, bool transactional = true,
                    const std::string& prefix = std::string(kSnapshotPrefix)) {
  const std::string whole = logical_message(transactional, 1, prefix, content);
  return whole.substr(1);
}

std::string mark(const std::string& name) { return R"({"slot":"s","mark":")" + name + "\"}"; }

TEST(SignalIntake, TellsWhatHasCommitted) {
  SignalIntake intake("s", log::Logger(""));
  intake.begin();
  intake.meet(message(mark("1")));
  EXPECT_TRUE(intake.take().empty());
  EXPECT_TRUE(intake.commit(Lsn{5}, 7));
  const auto signals = intake.take();
  ASSERT_EQ(signals.size(), 1U);
  EXPECT_EQ(signals[0].mark, "1");
  EXPECT_EQ(signals[0].commit_lsn, Lsn{5});
  EXPECT_EQ(signals[0].commit_time, 7);
  EXPECT_TRUE(intake.take().empty());
}

TEST(SignalIntake, ForgetsWhatDidNotCommit) {
  SignalIntake intake("s", log::Logger(""));
  intake.begin();
  intake.meet(message(mark("1")));
  intake.begin();
  EXPECT_FALSE(intake.commit(Lsn{5}, 7));
}

TEST(SignalIntake, PassesOverWhatIsNotForIt) {
  SignalIntake intake("s", log::Logger(""));
  intake.begin();
  intake.meet(message(mark("1"), false));
  intake.meet(message(mark("1"), true, "walcat.snapshots"));
  intake.meet(message(R"({"slot":"another","mark":"1"})"));
  intake.meet(message("nonsense"));
  intake.meet(message(mark("1")).substr(0, 20));
  EXPECT_FALSE(intake.commit(Lsn{5}, 7));
}

TEST(SignalIntake, LooksAtAFewOfATransaction) {
  SignalIntake intake("s", log::Logger(""));
  for (int transaction = 0; transaction < 2; ++transaction) {
    intake.begin();
    for (int i = 0; i < 1'000; ++i) intake.meet(message(mark(std::to_string(i))));
    intake.commit(Lsn{5}, 7);
    EXPECT_EQ(intake.take().size(), kSignalsInTransactionMost);
  }
}

TEST(SignalIntake, TakesTheContentOffWhatIsTooLongToBeRead) {
  const std::string header = "header";
  const auto shorter = [&](const std::string& content, const std::string& prefix) {
    return SignalIntake::without_content(header + "M" + message(content, true, prefix), header.size() + 1);
  };
  const std::string prefix(kSnapshotPrefix);
  EXPECT_FALSE(shorter(std::string(kSignalBytesMost, 'x'), prefix).has_value());
  EXPECT_FALSE(shorter(std::string(kSignalBytesMost + 1, 'x'), "theirs").has_value()) << "somebody may read that";
  EXPECT_EQ(shorter(std::string(kSignalBytesMost + 1, 'x'), prefix), header + "M" + message("", true, prefix));
  const std::string torn = header + "M" + message(std::string(200'000, 'x'), true, prefix).substr(0, 100'000);
  EXPECT_FALSE(SignalIntake::without_content(torn, header.size() + 1).has_value()) << "the decoder names the fault";
}

}  // namespace
}  // namespace walcat::test
