#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reader/unfinished_transactions.h"
#include "xlog_frames.h"

namespace walcat {
namespace {

using Fate = UnfinishedTransactions::Fate;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace test;

std::string begin_prepare(std::uint32_t xid, std::uint64_t lsn) {
  return frame("b" + u64(lsn) + u64(lsn + 8) + u64(9) + u32(xid) + "gid" + '\0');
}
std::string prepare(std::uint32_t xid, std::uint64_t lsn, char kind = 'P') {
  return frame(std::string(1, kind) + '\0' + u64(lsn) + u64(lsn + 8) + u64(9) + u32(xid) + "gid" + '\0');
}
std::string commit_prepared(std::uint32_t xid) {
  return frame(std::string("K") + '\0' + u64(0x500) + u64(0x530) + u64(9) + u32(xid) + "gid" + '\0');
}
std::string roll_back_prepared(std::uint32_t xid) {
  return frame(std::string("r") + '\0' + u64(0x400) + u64(0x530) + u64(9) + u64(9) + u32(xid) + "gid" + '\0');
}
std::string relation(std::uint32_t oid, const std::string& what) { return frame("R" + u32(oid) + what); }
std::string change(std::uint32_t oid, const std::string& what) { return frame("I" + u32(oid) + what); }
std::string truncation(std::uint32_t one, std::uint32_t other) {
  return frame("T" + u32(2) + '\0' + u32(one) + u32(other));
}

class PreparedTransactionsTest : public testing::Test {
 protected:
  PreparedTransactionsTest() { unfinished_.begin_session({true, Lsn{}, false, false}); }

  SpoolOptions options() {
    SpoolOptions made;
    made.directory = testing::TempDir();
    return made;
  }
  // What goes on to the decoder of these frames, in this order.
  std::vector<std::string> passed(const std::vector<std::string>& frames) {
    std::vector<std::string> out;
    for (const std::string& one : frames) {
      const auto fate = unfinished_.take(one);
      EXPECT_TRUE(fate.is_ok()) << fate.status().message();
      if (fate.is_ok() && *fate == Fate::kPassed) out.push_back(one);
      for (auto next = unfinished_.next(); next.is_ok() && *next; next = unfinished_.next()) out.emplace_back(**next);
    }
    return out;
  }
  Status failure(const std::string& what) { return unfinished_.take(what).status(); }

  UnfinishedTransactions unfinished_{options(), log::Logger("db")};
};

TEST_F(PreparedTransactionsTest, WalkAtTheirCommitAsIfTheyHadComeThen) {
  const auto described = relation(5, "t");
  EXPECT_THAT(passed({begin_prepare(7, 0x300), described, change(5, "one"), prepare(7, 0x300)}), IsEmpty());
  EXPECT_THAT(passed({commit_prepared(7)}), ElementsAre(whole_begin(7), described, change(5, "one"), whole_commit()));
}

TEST_F(PreparedTransactionsTest, AreForgottenWhenTheyAreRolledBack) {
  passed({begin_prepare(7, 0x300), change(5, "one"), prepare(7, 0x300), begin_prepare(8, 0x320), prepare(8, 0x320)});
  EXPECT_THAT(passed({roll_back_prepared(7), roll_back_prepared(99)}), IsEmpty());
  EXPECT_EQ(unfinished_.border(Lsn{}), Lsn{0x320});
  EXPECT_EQ(failure(commit_prepared(7)).code(), StatusCode::kGap);
}

TEST_F(PreparedTransactionsTest, KeepTheBorderUntilTheirLinesAreStored) {
  EXPECT_EQ(unfinished_.border(Lsn{0x1000}), Lsn{});
  passed({begin_prepare(7, 0x300)});
  EXPECT_EQ(unfinished_.border(Lsn{0x1000}), Lsn{0x300});
  passed({prepare(7, 0x300), begin_prepare(8, 0x320), prepare(8, 0x320)});
  EXPECT_EQ(unfinished_.border(Lsn{0x1000}), Lsn{0x300});
  passed({commit_prepared(7)});
  EXPECT_EQ(unfinished_.border(Lsn{0x52F}), Lsn{0x300}) << "on the street still";
  EXPECT_EQ(unfinished_.border(Lsn{0x530}), Lsn{0x320});
  passed({roll_back_prepared(8)});
  EXPECT_EQ(unfinished_.border(Lsn{0x530}), Lsn{});
}

TEST_F(PreparedTransactionsTest, DescribeTheirRelationsToThoseWhoComeBeforeTheirCommit) {
  const auto type = frame("Y" + u32(99) + "mood");
  const auto described = relation(5, "t");
  passed({begin_prepare(7, 0x300), type, described, change(5, "one"), prepare(7, 0x300)});
  EXPECT_THAT(passed({change(6, "another"), change(5, "two"), change(5, "three")}),
              ElementsAre(change(6, "another"), type, described, change(5, "two"), change(5, "three")));
}

TEST_F(PreparedTransactionsTest, DescribeTheirRelationsThoughTheyAreRolledBack) {
  const auto described = relation(5, "t");
  passed({begin_prepare(7, 0x300), described, prepare(7, 0x300), roll_back_prepared(7)});
  EXPECT_THAT(passed({truncation(6, 5)}), ElementsAre(described, truncation(6, 5)));
}

TEST_F(PreparedTransactionsTest, AreUnderstoodAsTheirRelationsWereWhenTheyCame) {
  const auto before = relation(5, "before");
  const auto after = relation(5, "after");
  passed({before, begin_prepare(7, 0x300), change(5, "one"), change(5, "two"), truncation(5, 6), prepare(7, 0x300)});
  EXPECT_THAT(passed({after, change(5, "three")}), ElementsAre(after, change(5, "three")));
  EXPECT_THAT(passed({commit_prepared(7)}), ElementsAre(whole_begin(7), before, change(5, "one"), change(5, "two"),
                                                        truncation(5, 6), whole_commit()));
  EXPECT_THAT(passed({change(5, "four"), change(5, "five")}), ElementsAre(after, change(5, "four"), change(5, "five")));
}

TEST_F(PreparedTransactionsTest, ThatCameInBlocksAreUnderstoodToo) {
  const auto described = relation(5, "t");
  const std::string blocks[] = {frame("S" + u32(7) + '\1'), frame("R" + u32(7) + u32(5) + "t"),
                                frame("I" + u32(7) + u32(5) + "one"), frame("E"), prepare(7, 0x300, 'p')};
  EXPECT_THAT(passed({std::begin(blocks), std::end(blocks)}), IsEmpty());
  EXPECT_EQ(unfinished_.border(Lsn{}), Lsn{0x300});
  EXPECT_THAT(passed({change(5, "two")}), ElementsAre(described, change(5, "two")));
  EXPECT_THAT(passed({commit_prepared(7)}), ElementsAre(whole_begin(7), described, change(5, "one"), whole_commit()));
}

TEST_F(PreparedTransactionsTest, AreAGapWhereTheyWereNotSent) {
  const Status lost = failure(commit_prepared(7));
  EXPECT_EQ(lost.code(), StatusCode::kGap);
  EXPECT_THAT(lost.message(), HasSubstr("prepared transaction 'gid', committed at 0/500, was not sent"));
  unfinished_.begin_session({true, Lsn{0x52F}, false, false});
  EXPECT_EQ(failure(commit_prepared(7)).code(), StatusCode::kGap);
  unfinished_.begin_session({true, Lsn{0x530}, false, false});
  EXPECT_THAT(passed({commit_prepared(7)}), IsEmpty()) << "its lines were stored before this session began";
  unfinished_.begin_session({true, Lsn{}, true, false});
  EXPECT_THAT(passed({commit_prepared(7)}), IsEmpty());
}

// They locked rows: what comes of them depends on the server's version.
TEST_F(PreparedTransactionsTest, ThatHaveChangedNothingAreNoGap) {
  EXPECT_THAT(passed({prepare(7, 0x300)}), IsEmpty());
  EXPECT_EQ(unfinished_.border(Lsn{}), Lsn{0x300});
  EXPECT_THAT(passed({commit_prepared(7)}), ElementsAre(whole_begin(7), whole_commit()));
  EXPECT_EQ(unfinished_.border(Lsn{0x530}), Lsn{});
  unfinished_.begin_session({true, Lsn{}, false, true});
  EXPECT_THAT(passed({commit_prepared(7)}), IsEmpty());
}

TEST_F(PreparedTransactionsTest, NameMessagesThatMakeNoSense) {
  EXPECT_THAT(failure(frame("b" + u64(1))).message(), HasSubstr("message 'b' of a prepared transaction: it is cut"));
  EXPECT_THAT(failure(frame("K")).message(), HasSubstr("it is cut"));
  EXPECT_THAT(failure(frame("r")).message(), HasSubstr("it is cut"));
  EXPECT_THAT(failure(frame("P")).message(), HasSubstr("message 'P' of a prepared transaction: it is cut"));
  EXPECT_THAT(failure(prepare(7, 0x300, 'p')).message(), HasSubstr("nothing of transaction 7 has come"));
  passed({begin_prepare(7, 0x300)});
  EXPECT_THAT(failure(prepare(8, 0x300)).message(), HasSubstr("of transaction 8, but it was 7 that began"));
  EXPECT_THAT(failure(begin_prepare(8, 0x300)).message(), HasSubstr("inside of another transaction"));
}

TEST(PreparedTransactions, AloneBeyondTheLimitAreRefused) {
  SpoolOptions limited;
  limited.directory = testing::TempDir();
  limited.memory = 0;
  limited.size_limit = 1000;
  UnfinishedTransactions unfinished(limited, log::Logger("db"));
  unfinished.begin_session({true, Lsn{}, false, false});
  ASSERT_TRUE(unfinished.take(begin_prepare(7, 0x300)).is_ok());
  Status status;
  for (int i = 0; i < 100 && status.is_ok(); ++i) status = unfinished.take(change(5, std::string(99, 'x'))).status();
  EXPECT_EQ(status.code(), StatusCode::kRefused);
  EXPECT_THAT(status.message(), HasSubstr("transactions that are prepared have more than 1000 bytes"));
}

}  // namespace
}  // namespace walcat
