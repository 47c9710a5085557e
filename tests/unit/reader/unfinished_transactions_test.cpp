#include "reader/unfinished_transactions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "xlog_frames.h"

namespace walcat {
namespace {

using Fate = UnfinishedTransactions::Fate;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace test;

std::string start(std::uint32_t xid, bool is_first) { return frame("S" + u32(xid) + (is_first ? '\1' : '\0')); }
std::string stop() { return frame("E"); }
std::string change(std::uint32_t xid, const std::string& body) { return frame("I" + u32(xid) + body); }
std::string commit(std::uint32_t xid) { return frame("c" + u32(xid) + '\0' + u64(0x500) + u64(0x530) + u64(9)); }
std::string abort(std::uint32_t xid, std::uint32_t subtransaction) {
  return frame("A" + u32(xid) + u32(subtransaction));
}

std::string whole(const std::string& body) { return frame("I" + body); }

class UnfinishedTransactionsTest : public testing::Test {
 protected:
  SpoolOptions options(std::uint64_t memory) {
    SpoolOptions made;
    made.directory = testing::TempDir();
    made.memory = memory;
    return made;
  }
  void offer(const std::string& what) { EXPECT_EQ(fate(what), Fate::kTaken); }
  Fate fate(const std::string& what) {
    const auto fate = unfinished_.take(what);
    EXPECT_TRUE(fate.is_ok()) << fate.status().message();
    return fate.is_ok() ? *fate : Fate::kPassed;
  }
  std::vector<std::string> walk() {
    std::vector<std::string> frames;
    for (;;) {
      const auto frame = unfinished_.next();
      EXPECT_TRUE(frame.is_ok()) << frame.status().message();
      if (!frame.is_ok() || !*frame) return frames;
      frames.emplace_back(**frame);
    }
  }

  UnfinishedTransactions unfinished_{options(std::uint64_t{1} << 20), log::Logger("db")};
};

TEST_F(UnfinishedTransactionsTest, LeaveAloneWhatIsInNoBlock) {
  for (const std::string& other : {whole_begin(7), whole("x"), whole_commit(),
                                   std::string("k") + u64(1) + u64(2) + '\0', std::string("w"), std::string()}) {
    EXPECT_EQ(fate(other), Fate::kPassed);
  }
  EXPECT_FALSE(unfinished_.is_walking());
}

TEST_F(UnfinishedTransactionsTest, WalkAtTheirCommitAsIfTheyHadComeWhole) {
  offer(start(7, true));
  EXPECT_TRUE(unfinished_.in_block());
  offer(change(7, "one"));
  offer(stop());
  EXPECT_FALSE(unfinished_.in_block());
  EXPECT_EQ(fate(whole_begin(9)), Fate::kPassed);
  offer(start(7, false));
  offer(change(8, "two"));
  offer(stop());
  offer(commit(7));
  EXPECT_TRUE(unfinished_.is_walking());
  EXPECT_THAT(walk(), ElementsAre(whole_begin(7), whole("one"), whole("two"), whole_commit()));
  EXPECT_FALSE(unfinished_.is_walking());
}

TEST_F(UnfinishedTransactionsTest, KeepTheOriginAsItIs) {
  offer(start(7, true));
  offer(frame("O" + u64(5) + "far"));
  offer(change(7, "one"));
  offer(stop());
  offer(commit(7));
  EXPECT_THAT(walk(), ElementsAre(whole_begin(7), frame("O" + u64(5) + "far"), whole("one"), whole_commit()));
}

TEST_F(UnfinishedTransactionsTest, ForgetWhatIsRolledBack) {
  for (const std::uint32_t xid : {7U, 9U}) {
    offer(start(xid, true));
    offer(change(xid, "one"));
    offer(change(xid + 1, "two"));
    offer(stop());
  }
  offer(abort(7, 7));
  offer(abort(9, 10));
  offer(abort(77, 78));  // never came
  offer(commit(9));
  EXPECT_THAT(walk(), ElementsAre(whole_begin(9), whole("one"), whole_commit()));
}

TEST_F(UnfinishedTransactionsTest, RollBackASubtransactionWithThoseInsideIt) {
  offer(start(7, true));
  for (const auto& [xid, body] :
       std::vector<std::pair<std::uint32_t, std::string>>{{7, "top"}, {8, "outer"}, {9, "inner"}, {8, "outer again"}}) {
    offer(change(xid, body));
  }
  offer(stop());
  offer(abort(7, 9));
  offer(abort(7, 8));
  offer(start(7, false));
  offer(change(10, "after"));
  offer(stop());
  offer(commit(7));
  EXPECT_THAT(walk(), ElementsAre(whole_begin(7), whole("top"), whole("after"), whole_commit()));
}

TEST_F(UnfinishedTransactionsTest, KeepDescriptionsOfWhatIsRolledBack) {
  offer(start(7, true));
  offer(frame("R" + u32(8) + "relation"));
  offer(change(8, "gone"));
  offer(frame("Y" + u32(8) + "type"));
  offer(stop());
  offer(abort(7, 8));
  offer(start(7, false));
  offer(change(7, "stays"));
  offer(stop());
  offer(commit(7));
  EXPECT_THAT(walk(), ElementsAre(whole_begin(7), frame("Rrelation"), frame("Ytype"), whole("stays"), whole_commit()));
}

TEST_F(UnfinishedTransactionsTest, BeginAnewWithTheFirstBlock) {
  offer(start(7, true));
  offer(change(7, "before the connection was lost"));
  unfinished_.clear();
  EXPECT_FALSE(unfinished_.in_block());
  offer(start(7, true));
  offer(change(7, "again"));
  offer(stop());
  offer(commit(7));
  EXPECT_THAT(walk(), ElementsAre(whole_begin(7), whole("again"), whole_commit()));
}

TEST_F(UnfinishedTransactionsTest, NameBlocksThatMakeNoSense) {
  EXPECT_THAT(unfinished_.take(commit(7)).status().message(), HasSubstr("nothing of transaction 7 has come"));
  EXPECT_THAT(unfinished_.take(start(7, false)).status().message(), HasSubstr("transaction 7 has no first block"));
  EXPECT_THAT(unfinished_.take(frame("A" + u32(7))).status().message(), HasSubstr("'A'"));
  EXPECT_EQ(unfinished_.take(frame("S")).status().code(), StatusCode::kProtocolError);
  offer(start(7, true));
  EXPECT_THAT(unfinished_.take(start(8, true)).status().message(), HasSubstr("it comes inside of a block"));
  EXPECT_THAT(unfinished_.take(frame("I12")).status().message(), HasSubstr("it is cut"));
}

TEST_F(UnfinishedTransactionsTest, NameBordersInsideOfOthers) {
  for (const std::string& border :
       {start(7, true), abort(7, 7), commit(7), frame("b"), frame("p"), frame("P"), frame("K"), frame("r")}) {
    EXPECT_THAT(unfinished_.take(border, true).status().message(), HasSubstr("inside of a transaction"));
  }
  EXPECT_FALSE(unfinished_.in_block());
  offer(start(7, true));
  EXPECT_THAT(unfinished_.take(whole_begin(7)).status().message(), HasSubstr("it comes inside of a block"));
  EXPECT_THAT(unfinished_.take(whole_commit()).status().message(), HasSubstr("it comes inside of a block"));
  EXPECT_THAT(unfinished_.take(frame("!")).status().message(), HasSubstr("it comes inside of a block"));
}

TEST_F(UnfinishedTransactionsTest, AreNoMoreThanAServerHasSessions) {
  constexpr std::uint32_t kMost = (1U << 18) - 1;
  for (std::uint32_t xid = 1; xid <= kMost; ++xid) {
    ASSERT_TRUE(unfinished_.take(start(xid, true)).is_ok());
    ASSERT_TRUE(unfinished_.take(stop()).is_ok());
  }
  EXPECT_TRUE(unfinished_.take(start(kMost, false)).is_ok());
  EXPECT_TRUE(unfinished_.take(stop()).is_ok());
  EXPECT_EQ(unfinished_.take(start(kMost + 1, true)).status().code(), StatusCode::kProtocolError);
}

TEST_F(UnfinishedTransactionsTest, RefuseMoreThanTheLimit) {
  SpoolOptions limited = options(0);
  limited.size_limit = 1000;
  UnfinishedTransactions streamed(limited, log::Logger("db"));
  ASSERT_TRUE(streamed.take(start(7, true)).is_ok());
  Status status;
  for (int i = 0; i < 100 && status.is_ok(); ++i) status = streamed.take(change(7, std::string(100, 'x'))).status();
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("more than 1000 bytes (spool.size_limit)"));
}

TEST_F(UnfinishedTransactionsTest, TakeNoMoreDescriptorsThanAreTheirs) {
  SpoolOptions limited = options(0);
  limited.files_most = 2;
  UnfinishedTransactions streamed(limited, log::Logger("db"));
  Status status;
  std::uint32_t xid = 0;
  const std::string large(100'000, 'x');
  while (status.is_ok() && ++xid < 10) {
    for (const std::string& what : {start(xid, true), change(xid, large), stop()}) {
      if (status.is_ok()) status = streamed.take(what).status();
    }
  }
  EXPECT_EQ(xid, 3U);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_THAT(status.message(), HasSubstr("not committed need more than 2 files: 3 are open (ulimit -n "));
  EXPECT_THAT(status.message(), HasSubstr("logical_decoding_work_mem"));
}

TEST_F(UnfinishedTransactionsTest, AreBlockedWhereNoFileCanBeMade) {
  SpoolOptions nowhere = options(0);
  nowhere.directory = "/nowhere";
  UnfinishedTransactions streamed(nowhere, log::Logger("db"));
  ASSERT_TRUE(streamed.take(start(7, true)).is_ok());
  ASSERT_EQ(*streamed.take(change(7, "one")), Fate::kBlocked);
  EXPECT_THAT(streamed.obstacle(), HasSubstr("spool in /nowhere: create a file"));
  EXPECT_EQ(*streamed.take(change(7, "one")), Fate::kBlocked);
}

// A server with several transactions open, each with nested savepoints, that streams now and then; and what it would
// send of each if it came whole.
class StreamingServer {
 public:
  StreamingServer(std::uint32_t seed, UnfinishedTransactions& streamed) : random_(seed), streamed_(streamed) {}

  void step() {
    const unsigned choice = random_() % 40;
    if (open_.size() < 4 && choice < 3) {
      open_[next_xid_].savepoints.push_back({next_xid_, 0});
      ++next_xid_;
    }
    if (open_.empty()) return;
    auto& [xid, transaction] = *std::next(open_.begin(), random_() % open_.size());
    auto& savepoints = transaction.savepoints;
    if (choice == 3) return end(xid, random_() % 4 == 0);
    if (choice < 8 && savepoints.size() < 5) {
      savepoints.push_back({next_xid_++, transaction.bodies.size()});
    } else if (choice < 11 && savepoints.size() > 1) {
      roll_back(xid, transaction);
    } else if (choice < 13 && savepoints.size() > 1) {
      savepoints.pop_back();  // released: its changes stay, and roll back with the one around it
    } else {
      send(xid, transaction);
    }
  }

  void end_all() {
    while (!open_.empty()) end(open_.begin()->first, false);
  }
  std::size_t committed() const { return committed_; }

 private:
  struct Savepoint {
    std::uint32_t xid;
    std::size_t begin;
  };
  struct Transaction {
    std::vector<Savepoint> savepoints;
    std::vector<std::pair<std::uint32_t, std::string>> bodies;  // with their subtransactions
    bool is_streamed = false;
  };

  void send(std::uint32_t xid, Transaction& transaction) {
    offer(start(xid, !transaction.is_streamed));
    transaction.is_streamed = true;
    for (unsigned i = random_() % 4; i-- > 0;) {
      const std::uint32_t of = transaction.savepoints.back().xid;
      std::string body(random_() % 300, static_cast<char>('a' + random_() % 26));
      offer(change(of, body));
      transaction.bodies.emplace_back(of, std::move(body));
    }
    offer(stop());
  }

  void roll_back(std::uint32_t xid, Transaction& transaction) {
    const Savepoint savepoint = transaction.savepoints.back();
    transaction.savepoints.pop_back();
    // Those inside it that were released are named first, in no order that matters.
    auto& bodies = transaction.bodies;
    for (std::size_t i = savepoint.begin; i < bodies.size(); ++i) {
      if (bodies[i].first != savepoint.xid) offer(abort(xid, bodies[i].first));
    }
    offer(abort(xid, savepoint.xid));
    bodies.resize(savepoint.begin);
  }

  void end(std::uint32_t xid, bool is_aborted) {
    const Transaction transaction = std::move(open_[xid]);
    open_.erase(xid);
    if (!transaction.is_streamed) return;
    if (is_aborted) return offer(abort(xid, xid));
    offer(commit(xid));
    std::vector<std::string> expected{whole_begin(xid)};
    for (const auto& [of, body] : transaction.bodies) expected.push_back(whole(body));
    expected.push_back(whole_commit());
    std::vector<std::string> walked;
    for (auto frame = streamed_.next(); frame.is_ok() && *frame; frame = streamed_.next()) walked.emplace_back(**frame);
    ASSERT_EQ(walked, expected);
    ++committed_;
  }

  void offer(const std::string& what) {
    const auto fate = streamed_.take(what);
    ASSERT_TRUE(fate.is_ok()) << fate.status().message();
    ASSERT_EQ(*fate, Fate::kTaken);
  }

  std::minstd_rand random_;
  UnfinishedTransactions& streamed_;
  std::map<std::uint32_t, Transaction> open_;
  std::uint32_t next_xid_ = 0xFFFFFF00;  // transaction IDs come round
  std::size_t committed_ = 0;
};

class UnfinishedTransactionsProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(UnfinishedTransactionsProperty, WalkAsIfTheyHadComeWhole) {
  SpoolOptions options;
  options.directory = testing::TempDir();
  options.memory = GetParam();
  std::size_t committed = 0;
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    UnfinishedTransactions streamed(options, log::Logger("db"));
    StreamingServer server(seed, streamed);
    for (int i = 0; i < 1'000 && !testing::Test::HasFatalFailure(); ++i) server.step();
    server.end_all();
    committed += server.committed();
  }
  EXPECT_GT(committed, 200U);
}

INSTANTIATE_TEST_SUITE_P(Memory, UnfinishedTransactionsProperty, testing::Values(0, 2'000, 1 << 20));

}  // namespace
}  // namespace walcat
