// Bytes that make no sense: an error that says where, and what came before kept.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "decoder/feed.h"

namespace walcat::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// An open transaction with one row, which every case must keep.
Strings sound_start() {
  return {at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "kept"}))};
}

// What the decoder says to `bad` in an open transaction.
std::string complaint(const std::string& bad) {
  Feed feed;
  Strings frames = sound_start();
  frames.push_back(bad);
  frames.push_back(at(930, insert(kPlain, {"2", "never read"})));
  const auto batch = feed.decode(frames);
  EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError);
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.t (1, kept)"}));
  return feed.status().message();
}

TEST(DecoderFault, NamesLsnRelationAndByte) {
  // 25 of header, 1 kind, 4 relation, 1 marker, 2 columns: the first column's kind is the 34th byte.
  const std::string bad = at(0x1A0000920, insert(kPlain, {Value('x'), "v"}));
  EXPECT_THAT(complaint(bad),
              AllOf(HasSubstr("message 'I'"), HasSubstr("LSN 1/A0000920"), HasSubstr("relation public.t (16384)"),
                    HasSubstr("byte 34 of 40"), HasSubstr("column 1 is neither text, null nor unchanged")));
}

TEST(DecoderFault, RefusesARelationNeverDescribed) {
  EXPECT_THAT(complaint(at(920, insert(99, {"1"}))),
              AllOf(HasSubstr("LSN 0/398"), HasSubstr("relation 99"), HasSubstr("byte 30")));
  EXPECT_THAT(complaint(at(920, truncate({99}))), HasSubstr("relation 99 was never described"));
}

TEST(DecoderFault, RefusesATupleOfAnotherWidth) {
  EXPECT_THAT(complaint(at(920, insert(kPlain, {"1"}))), HasSubstr("tuple has 1 columns, the relation 2"));
  EXPECT_THAT(complaint(at(920, insert(kPlain, {"1", "2", "3"}))), HasSubstr("tuple has 3 columns, the relation 2"));
  EXPECT_THAT(complaint(at(920, update(kPlain, 'O', {"1", "2"}, {"1"}))), HasSubstr("tuple has 1 columns"));
}

TEST(DecoderFault, RefusesAWrongTupleMarker) {
  EXPECT_THAT(complaint(at(920, Wire('I').u32(kPlain).u8('K').bytes(tuple({"1", "2"})))),
              HasSubstr("without a new tuple"));
  EXPECT_THAT(complaint(at(920, Wire('U').u32(kPlain).u8('X').bytes(tuple({"1", "2"})))),
              HasSubstr("without a new tuple"));
  EXPECT_THAT(complaint(at(920, Wire('D').u32(kPlain).u8('N').bytes(tuple({"1", "2"})))),
              HasSubstr("without an old tuple"));
  EXPECT_THAT(
      complaint(at(920, Wire('U').u32(kPlain).u8('K').bytes(tuple({"1", "2"})).u8('K').bytes(tuple({"1", "2"})))),
      HasSubstr("without a new tuple"));
}

TEST(DecoderFault, RefusesBinaryColumns) {
  EXPECT_THAT(complaint(at(920, insert(kPlain, {Value('b', "\1\2\3\4"), "v"}))), HasSubstr("column 1"));
}

TEST(DecoderFault, RefusesAColumnLongerThanItsFrame) {
  for (const std::uint32_t size : {5U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFEU, 0xFFFFFFFFU}) {
    const std::string row = Wire('I').u32(kPlain).u8('N').u16(2).u8('t').u32(size).bytes("1234");
    EXPECT_THAT(complaint(at(920, row)), HasSubstr("ends in the middle of a column")) << size;
  }
}

TEST(DecoderFault, RefusesAMessageLongerThanItsFrame) {
  const std::string cut = Wire('M').u8(1).u64(920).cstring("p").u32(0xFFFFFFFF).bytes("abc");
  EXPECT_THAT(complaint(at(920, cut)), HasSubstr("ends in the middle of a field"));
}

TEST(DecoderFault, RefusesUnknownKinds) {
  EXPECT_THAT(complaint(at(920, "Z")), HasSubstr("unknown message kind 0x5a"));
  EXPECT_THAT(complaint(at(920, Wire('S').u32(700).u8(1))), HasSubstr("unknown message kind 0x53"));
  EXPECT_THAT(complaint("q1234"), HasSubstr("unknown kind 0x71"));
  EXPECT_THAT(complaint(std::string()), HasSubstr("0 bytes"));
}

TEST(DecoderFault, RefusesAKeepaliveOfAnotherSize) {
  EXPECT_THAT(complaint(keepalive(900) + "x"), HasSubstr("19 bytes"));
  EXPECT_THAT(complaint(keepalive(900).substr(0, 17)), HasSubstr("17 bytes"));
}

TEST(DecoderFault, RefusesATransactionInATransaction) {
  EXPECT_THAT(complaint(at(0, begin(2000))), HasSubstr("Begin inside a transaction"));
}

TEST(DecoderFault, RefusesACommitOfAnotherTransaction) {
  EXPECT_THAT(complaint(at(0, commit(1001, 1010))), HasSubstr("Commit of 0/3E9 does not close the open transaction"));
  EXPECT_THAT(complaint(at(0, commit(1000, 1000))), HasSubstr("does not close"));
  EXPECT_THAT(complaint(at(0, commit(1000, 999))), HasSubstr("does not close"));
}

TEST(DecoderFault, RefusesAMessageOnTheWrongSideOfABorder) {
  EXPECT_THAT(complaint(at(0, logical_message(false, 920, "p", "x"))), HasSubstr("wrong side"));
  Feed feed;
  feed.decode({at(0, logical_message(true, 920, "p", "x"))});
  EXPECT_THAT(feed.status().message(), HasSubstr("wrong side"));
}

TEST(DecoderFault, RefusesChangesOutsideTransactions) {
  for (const std::string& message : {insert(kPlain, {"1", "a"}), update(kPlain, {"1", "a"}),
                                     remove(kPlain, 'K', {"1", kNullValue}), truncate({kPlain}), commit(1000, 1010)}) {
    Feed feed;
    const auto batch = feed.decode({at(0, relation(plain_table())), at(920, message)});
    EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError);
    EXPECT_TRUE(batch->changes.empty());
    EXPECT_TRUE(batch->progress_points.empty());
  }
}

TEST(DecoderFault, RefusesARelationWithANegativeNumberOfColumns) {
  const std::string bad = Wire('R').u32(1).cstring("s").cstring("t").u8('d').u16(0xFFFF);
  EXPECT_THAT(complaint(at(0, bad)), HasSubstr("relation has -1 columns"));
}

TEST(DecoderFault, RefusesANameWithoutItsEnd) {
  EXPECT_THAT(complaint(at(0, Wire('Y').u32(1).bytes("no end"))), HasSubstr("ends in the middle of a field"));
}

TEST(DecoderFault, KeepsNothingOfATruncateWhoseSecondTableIsUnknown) {
  EXPECT_THAT(complaint(at(920, truncate({kPlain, 99}))), HasSubstr("relation 99 was never described"));
}

TEST(DecoderFault, KeepsNothingOfATruncateThatIsCut) {
  const std::string cut = at(920, truncate({kPlain, kPlain}));
  complaint(cut.substr(0, cut.size() - 1));
}

TEST(DecoderFault, RefusesATruncateThatNamesATableTwice) {
  const std::string bad = at(920, truncate(std::vector<std::uint32_t>(1'000'000, kPlain)));
  EXPECT_THAT(complaint(bad), AllOf(HasSubstr("Truncate of 1000000 tables names one twice"), HasSubstr("byte 39 of")));
}

struct NamedMessage {
  const char* name;
  std::string frame;
  /// Stands outside transactions.
  bool outside = false;
};

void PrintTo(const NamedMessage& message, std::ostream* out) { *out << message.name; }

// One of each, right inside the transaction that sound_start() opens, or outside.
std::vector<NamedMessage> every_message() {
  return {{"Begin", at(0, begin(1000)), true},
          {"Commit", at(1010, commit(1000, 1010))},
          {"Origin", at(0, origin(44, "upstream"))},
          {"Relation", at(0, relation({16400, "s", "u", 'f', {{"a", kInt4, true}, {"b"}}}))},
          {"Type", at(0, type(20000, "public", "mood"))},
          {"Insert", at(920, insert(kPlain, {"1", "value"}))},
          {"Update", at(920, update(kPlain, {kNullValue, kUnchangedValue}))},
          {"UpdateWithKey", at(920, update(kPlain, 'K', {"1", kNullValue}, {"2", "value"}))},
          {"UpdateWithOldRow", at(920, update(kPlain, 'O', {"1", "old"}, {"2", kUnchangedValue}))},
          {"Delete", at(920, remove(kPlain, 'K', {"1", kNullValue}))},
          {"TruncateOne", at(920, truncate({kPlain}))},
          {"Message", at(920, logical_message(true, 920, "prefix", "content"))},
          {"MessageOutside", at(920, logical_message(false, 920, "prefix", "content")), true},
          {"Keepalive", keepalive(900), true}};
}

class EveryMessage : public testing::TestWithParam<NamedMessage> {
 protected:
  const std::string& frame() const { return GetParam().frame; }
  Strings before() const { return GetParam().outside ? Strings{} : sound_start(); }
};

TEST_P(EveryMessage, IsRightWhole) {
  Feed feed;
  Strings frames = before();
  frames.push_back(frame());
  feed.decode(frames);
  EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
}

TEST_P(EveryMessage, IsRefusedAtEveryShorterLengthAndLeavesNothing) {
  for (std::size_t size = 0; size < frame().size(); ++size) {
    Feed feed;
    Strings frames = before();
    const std::size_t kept = frames.empty() ? 0 : 1;
    frames.push_back(frame().substr(0, size));
    const auto batch = feed.decode(frames);
    EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError) << size << " bytes";
    EXPECT_EQ(batch->changes.size(), kept) << size << " bytes";
    EXPECT_TRUE(batch->progress_points.empty()) << size << " bytes";
  }
}

TEST_P(EveryMessage, IsRefusedWithAByteTooManyAndLeavesNothing) {
  Feed feed;
  Strings frames = before();
  const std::size_t kept = frames.empty() ? 0 : 1;
  frames.push_back(frame() + '\0');
  const auto batch = feed.decode(frames);
  EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError);
  EXPECT_EQ(batch->changes.size(), kept);
  EXPECT_TRUE(batch->progress_points.empty());
}

TEST_P(EveryMessage, SurvivesFlippedBytes) {
  const std::uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  SCOPED_TRACE(fmt::format("seed {}", seed));
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = frame();
    for (std::uint64_t flips = 1 + random() % 3; flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1U << random() % 8);
    }
    Feed feed;
    Strings frames = before();
    frames.push_back(bytes);
    const auto batch = feed.decode(frames);
    ASSERT_TRUE(feed.status().is_ok() || feed.status().code() == StatusCode::kProtocolError);
    // Whatever was taken can be shown without leaving the frames.
    for (const Change& change : batch->changes) ASSERT_FALSE(shown(*batch, change).empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Decoder, EveryMessage, testing::ValuesIn(every_message()),
                         [](const auto& test) { return std::string(test.param.name); });

// A server may say so much of types that nobody has.
TEST(DecoderFault, EndsDescriptionsWithoutEnd) {
  const std::string name(std::size_t{1} << 20, 'x');
  const auto describe = [&](std::uint32_t oids) {
    Feed feed;
    feed.decode(sound_start());
    for (std::uint32_t i = 0; i < 100 && feed.status().is_ok(); ++i) {
      feed.decode({at(920, type(20'000 + i % oids, "public", name))});
    }
    return feed.status();
  };
  EXPECT_TRUE(describe(1).is_ok()) << "the same type again and again";
  const Status ended = describe(100);
  EXPECT_EQ(ended.code(), StatusCode::kProtocolError);
  EXPECT_THAT(ended.message(), HasSubstr("descriptions of types take more than 64 MiB"));
}

}  // namespace
}  // namespace walcat::test
