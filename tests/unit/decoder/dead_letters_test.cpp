// Frames that can't be decoded go to the dead letters, and the stream goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decoder/feed.h"
#include "offsets/temporary_folder.h"
#include "walcat/capture/capture_reader.h"

namespace walcat::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kNoText = "a\xff";

class DeadLetter : public testing::Test {
 private:
  TemporaryFolder folder_;

 protected:
  const std::string path_ = folder_ / "letters.wcap";

  DecoderOptions options() const { return options(path_); }
  static DecoderOptions options(const std::string& path) {
    DecoderOptions options;
    options.dead_letters = std::make_shared<DeadLetters>(path, log::Logger("db1"));
    options.refuse_invalid_utf8 = true;
    return options;
  }
  static Feed feed_of(const DecoderOptions& options) { return Feed(ResumePoint{}, 4096, options); }

  static std::unique_ptr<Batch> decode_unchecked(Feed& feed, const Strings& frames) {
    auto batch = feed.pack(frames);
    feed.decode(*batch);
    return batch;
  }

  std::vector<std::pair<CapturedFrame, std::string>> letters() const {
    std::vector<std::pair<CapturedFrame, std::string>> all;
    const auto reader = CaptureReader::open(path_);
    if (!reader.is_ok()) return all;
    for (;;) {
      const auto next = (*reader)->next();
      EXPECT_TRUE(next.is_ok()) << next.status().message();
      if (!next.is_ok() || !*next) return all;
      all.emplace_back(**next, std::string((*next)->bytes));
    }
  }

  // The file as kinds of messages, dead letters with their index.
  Strings shown_letters() const {
    Strings all;
    for (const auto& [frame, bytes] : letters()) {
      const bool is_dead = frame.role == FrameRole::kDeadLetter;
      all.push_back(bytes.substr(25, 1) + (is_dead ? fmt::format(" dead {}", frame.index) : ""));
    }
    return all;
  }
};

Strings opened(std::uint64_t commit_lsn = 1000) { return {at(0, begin(commit_lsn)), at(0, relation(plain_table()))}; }

Strings operator+(Strings left, const Strings& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST_F(DeadLetter, LetsTheChangesAroundItPassAndKeepsItsIndex) {
  Feed feed = feed_of(options());
  const std::string bad = at(920, insert(kPlain, {Value('x'), "v"}));
  const auto batch = feed.decode(opened() + Strings{at(910, insert(kPlain, {"1", "a"})), bad,
                                                    at(930, insert(kPlain, {"3", "c"})), at(1010, commit(1000, 1010))});
  EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.t (1, a)", "1000.2 insert public.t (3, c)"}));
  EXPECT_EQ(progress(*batch), (Strings{"1010 after 2"}));
  EXPECT_THAT(shown_letters(), ElementsAre("R", "B", "I dead 1", "C"));
  EXPECT_EQ(letters()[2].second, bad);
  EXPECT_EQ(feed.dead_letters().count, 1U);
  EXPECT_THAT(feed.dead_letters().first.message(), AllOf(HasSubstr("LSN 0/398"), HasSubstr("public.t")));
}

TEST_F(DeadLetter, IsAnyChangeCutShort) {
  const Strings sound = {at(920, update(kPlain, 'O', {"1", "old"}, {"2", "new"})),
                         at(920, remove(kPlain, 'K', {"1", kNullValue})),
                         at(920, truncate({kPlain, kPlain})),
                         at(920, logical_message(true, 920, "prefix", "content")),
                         at(920, insert(99, {"1"})),
                         at(920, insert(kPlain, {"1", "2"})) + "x"};
  for (const std::string& frame : sound) {
    TemporaryFolder folder;
    Feed feed = feed_of(options(folder / "letters.wcap"));
    const auto batch = feed.decode(opened() + Strings{frame.substr(0, frame.size() - (frame.back() == 'x' ? 0 : 1)),
                                                      at(930, insert(kPlain, {"3", "c"}))});
    EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
    const std::uint64_t index = frame[25] == 'T' ? 2 : 1;
    EXPECT_EQ(changes(*batch), (Strings{fmt::format("1000.{} insert public.t (3, c)", index)})) << frame[25];
    EXPECT_EQ(feed.dead_letters().count, 1U);
  }
}

TEST_F(DeadLetter, DescribesARelationAndItsTypesOnceUntilTheyComeAgain) {
  const TableSpec table{16390, "public", "e", 'd', {{"id", kInt4, true}, {"mood", 20000}}};
  const std::string bad = at(920, insert(16390, {"1"}));
  Feed feed = feed_of(options());
  feed.decode({at(0, begin(1000)), at(0, type(20000, "public", "mood")), at(0, relation(table)), bad, bad,
               at(1010, commit(1000, 1010)), at(0, begin(2000)), bad, at(0, relation(table)), bad,
               at(2010, commit(2000, 2010))});
  EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_THAT(shown_letters(),
              ElementsAre("Y", "R", "B", "I dead 0", "I dead 1", "C", "B", "I dead 0", "R", "I dead 1", "C"));
  EXPECT_EQ(feed.dead_letters().count, 4U);
}

TEST_F(DeadLetter, OfARelationTakesItsChangesWithIt) {
  const std::string broken = at(0, relation(plain_table()));
  const auto row = [](const char* id) { return at(920, insert(kPlain, {id, "v"})); };
  Feed feed = feed_of(options());
  const auto batch = feed.decode(opened() + Strings{row("1"), broken.substr(0, broken.size() - 1), row("2"),
                                                    at(0, relation(plain_table())), row("3")});
  EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.t (1, v)", "1000.2 insert public.t (3, v)"}));
  EXPECT_THAT(shown_letters(), ElementsAre("B", "R dead 1", "I dead 1"));
}

TEST_F(DeadLetter, IsWhatIsRefusedAsText) {
  Feed feed = feed_of(options());
  const auto batch = decode_unchecked(
      feed, opened() + Strings{at(910, insert(kPlain, {"1", "a"})), at(920, update(kPlain, {"1", kNoText})),
                               at(930, remove(kPlain, 'O', {"1", kNoText})), at(940, insert(kPlain, {"2", "b"})),
                               at(950, logical_message(true, 950, kNoText, "c")),
                               at(960, logical_message(true, 960, "p", kNoText)), at(1010, commit(1000, 1010))});
  EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(indexes(*batch), (std::vector<std::uint64_t>{0, 3, 5}));
  EXPECT_THAT(shown_letters(), ElementsAre("R", "B", "U dead 1", "D dead 2", "M dead 4", "C"));
  EXPECT_THAT(feed.dead_letters().first.message(), AllOf(HasSubstr("column v"), HasSubstr("UTF-8")));
}

TEST_F(DeadLetter, CanBeDecodedFromTheFileOnceItsTextIsReplaced) {
  {
    Feed feed = feed_of(options());
    decode_unchecked(feed, opened() + Strings{at(910, insert(kPlain, {"1", "a"})),
                                              at(920, insert(kPlain, {"2", kNoText})), at(1010, commit(1000, 1010))});
  }
  Strings frames;
  for (const auto& [frame, bytes] : letters()) frames.push_back(bytes);
  Feed replay = feed_of(DecoderOptions{});
  const auto batch = decode_unchecked(replay, frames);
  EXPECT_TRUE(replay.status().is_ok()) << replay.status().message();
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.t (2, a\uFFFD)"}));
}

TEST_F(DeadLetter, IsNotCountedWhereTransactionsAreCounted) {
  DecoderOptions counting = options();
  counting.transactions = true;
  Feed feed = feed_of(counting);
  const auto batch = decode_unchecked(
      feed, opened() + Strings{at(910, insert(kPlain, {"1", kNoText})), at(920, insert(kPlain, {"2", "b"})),
                               at(930, insert(kPlain, {"3", "c"}) + "left over"), at(1010, commit(1000, 1010))});
  ASSERT_EQ(batch->changes.size(), 3U);
  EXPECT_EQ(batch->changes[0].operation, Operation::kBegin);
  EXPECT_EQ(batch->changes[1].index, 1U);
  EXPECT_EQ(batch->changes[1].total_order, 1U);
  ASSERT_EQ(batch->transaction_summaries.size(), 1U);
  EXPECT_EQ(batch->transaction_summaries[0].changes, 1U);
}

TEST_F(DeadLetter, ComesOnceAcrossAReconnect) {
  const std::string bad = at(920, insert(kPlain, {"1"}));
  const Strings whole = opened() + Strings{at(910, insert(kPlain, {"1", "a"})), bad};
  Feed feed = feed_of(options());
  feed.decode(whole);
  feed.reconnect();
  const auto batch =
      feed.decode(whole + Strings{at(930, insert(kPlain, {"2", "b"})), bad, at(1010, commit(1000, 1010))});
  EXPECT_EQ(changes(*batch), (Strings{"1000.2 insert public.t (2, b)"}));
  EXPECT_THAT(shown_letters(), ElementsAre("R", "B", "I dead 1", "R", "B", "I dead 3", "C"));
}

TEST_F(DeadLetter, NeverIsWhatTheStreamDependsOn) {
  const Strings bad = {at(0, begin(2000)),
                       at(1010, commit(999, 1010)),
                       at(0, "O"),
                       at(0, "Y1"),
                       at(0, "?"),
                       at(0, "R12"),
                       "x",
                       keepalive(5) + "x",
                       at(920, logical_message(false, 920, "p", "c"))};
  for (const std::string& frame : bad) {
    Feed feed = feed_of(options());
    feed.decode(opened() + Strings{frame});
    EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError) << frame;
    EXPECT_EQ(feed.dead_letters().count, 0U) << frame;
  }
  Feed outside = feed_of(options());
  outside.decode({at(920, insert(kPlain, {"1"}))});
  EXPECT_EQ(outside.status().code(), StatusCode::kProtocolError);
  EXPECT_THAT(letters(), IsEmpty());
}

TEST_F(DeadLetter, ThatCanNotBeKeptStopsBeforeIt) {
  Feed feed = feed_of(options("no/such/letters.wcap"));
  const auto batch =
      feed.decode(Strings{keepalive(900)} + opened() +
                  Strings{at(910, insert(kPlain, {"1", "a"})), at(1010, commit(1000, 1010)), at(0, begin(2000)),
                          at(1920, insert(kPlain, {"2"})), at(2010, commit(2000, 2010)), at(0, begin(3000)),
                          at(2930, insert(kPlain, {"3", "c"})), at(3010, commit(3000, 3010))});
  EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError);
  EXPECT_THAT(feed.status().message(), AllOf(HasSubstr("tuple has 1 columns"), HasSubstr("no/such/letters.wcap"),
                                             HasSubstr("No such file or directory")));
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.t (1, a)"}));
  EXPECT_EQ(progress(*batch), (Strings{"900 after 0", "1010 after 1"}));
  EXPECT_EQ(feed.dead_letters().count, 0U);
}

}  // namespace
}  // namespace walcat::test
