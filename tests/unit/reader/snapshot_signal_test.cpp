// What a message about incremental snapshots says, and what it must not say.

#include "walcat/reader/snapshot_signal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace walcat::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Kind = SnapshotSignal::Kind;

std::optional<SnapshotSignal> parsed(const std::string& content, const std::string& slot = "s") {
  auto signal = parse_snapshot_signal(content, slot);
  EXPECT_TRUE(signal.is_ok()) << content << ": " << signal.status().message();
  return signal.is_ok() ? *signal : std::nullopt;
}

std::string refused(const std::string& content) {
  const auto signal = parse_snapshot_signal(content, "s");
  EXPECT_FALSE(signal.is_ok()) << content;
  if (signal.is_ok()) return {};
  EXPECT_EQ(signal.status().code(), StatusCode::kRefused);
  EXPECT_THAT(signal.status().message(), StartsWith("message walcat.snapshot: "));
  return signal.status().message();
}

TEST(SnapshotSignal, AsksForTables) {
  const auto signal = parsed(R"({"slot":"s","ask":"start","id":"a1b2","tables":["public.orders","\"My.S\".\"a,b\""],)"
                             R"("where":"note = '\"ü\\n'","rows_per_second":500})");
  ASSERT_TRUE(signal.has_value());
  EXPECT_EQ(signal->kind, Kind::kStart);
  EXPECT_EQ(signal->snapshot.id, "a1b2");
  EXPECT_EQ(signal->snapshot.tables, (std::vector<TableName>{{"public", "orders"}, {"My.S", "a,b"}}));
  EXPECT_EQ(signal->snapshot.where, "note = '\"ü\\n'");
  EXPECT_EQ(signal->snapshot.rows_per_second, 500U);
  EXPECT_FALSE(signal->snapshot.is_paused);
  EXPECT_FALSE(signal->snapshot.is_added);
  EXPECT_TRUE(signal->snapshot.last_key.empty());
}

TEST(SnapshotSignal, AsksForAllRowsAsFastAsItGoesUnlessItSaysOtherwise) {
  const auto signal = parsed(R"({"slot":"s","ask":"start","id":"1","tables":["a.b"]})");
  ASSERT_TRUE(signal.has_value());
  EXPECT_EQ(signal->snapshot.where, "");
  EXPECT_EQ(signal->snapshot.rows_per_second, 0U);
}

TEST(SnapshotSignal, TakesWhatPeopleWrite) {
  EXPECT_EQ(parsed(" {\n \"tables\" : [ \"Public.Orders\" ], \"id\":\"1\", \"ask\":\"start\", \"slot\":\"s\" }\n")
                ->snapshot.tables,
            (std::vector<TableName>{{"public", "orders"}}));
  EXPECT_EQ(parsed(R"({"slot":"s","ask":"pause","id":"7","tables":3,"more":[]})")->kind, Kind::kPause)
      << "of these only start takes more";
}

TEST(SnapshotSignal, SaysBackWhatItRead) {
  SnapshotSignal start;
  start.kind = Kind::kStart;
  start.snapshot.id = "q_-9Z";
  start.snapshot.channel = "news";
  start.snapshot.tables = {{"public", "t"}, {"a\"b", "c\\d\n\x01"}, {"schöma", "T"}};
  start.snapshot.where = "v <> E'\\t\"' AND \x1f = ''";
  start.snapshot.rows_per_second = ~std::uint64_t{0};
  const auto back = parsed(to_message(start, "s"));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->kind, Kind::kStart);
  EXPECT_EQ(back->snapshot, start.snapshot);
  for (const Kind kind : {Kind::kPause, Kind::kResume, Kind::kCancel}) {
    SnapshotSignal ask;
    ask.kind = kind;
    ask.snapshot.id = "q";
    EXPECT_EQ(parsed(to_message(ask, "s"))->kind, kind);
    ask.snapshot.channel = "news";
    EXPECT_EQ(parsed(to_message(ask, "s"))->snapshot.channel, "news");
  }
  SnapshotSignal mark;
  mark.mark = "0123abc.7";
  EXPECT_EQ(to_message(mark, "s"), R"({"slot":"s","mark":"0123abc.7"})");
  EXPECT_EQ(parsed(to_message(mark, "s"))->kind, Kind::kMark);
  EXPECT_EQ(parsed(to_message(mark, "s"))->mark, "0123abc.7");
}

TEST(SnapshotSignal, IsNothingForAnotherSlot) {
  SnapshotSignal mark;
  mark.mark = "1";
  EXPECT_FALSE(parsed(to_message(mark, "s"), "s2").has_value());
  EXPECT_FALSE(parsed(R"({"slot":"s2","ask":"dance"})").has_value()) << "whatever it says";
  for (const char* content : {R"({"ask":"cancel"})", R"({"slot":null,"ask":"cancel"})", R"({"slot":1})", "{}"}) {
    EXPECT_FALSE(parsed(content).has_value()) << content;
  }
}

TEST(SnapshotSignal, RefusesWhatIsNoObject) {
  for (const std::string& content : std::vector<std::string>{
           "", " ", "start", "[]", "7", "null", "\"s\"", R"({"slot":"s")", R"({"slot":"s"}})", R"({"slot":"s",})",
           "{\"slot\":\"s\",\"mark\":\"\xff\"}", std::string(10, '\0'), std::string(5000, '[')}) {
    EXPECT_THAT(refused(content), HasSubstr("not a JSON object")) << content;
  }
}

TEST(SnapshotSignal, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(refused(R"({"slot":"s"})"), HasSubstr(R"(ask: found ""; expected start, pause, resume or cancel)"));
  EXPECT_THAT(refused(R"({"slot":"s","ask":"stop"})"), HasSubstr(R"(found "stop")"));
  EXPECT_THAT(refused(R"({"slot":"s","ask":"Start"})"), HasSubstr(R"(found "Start")"));
  EXPECT_THAT(refused(R"({"slot":"s","ask":7})"), HasSubstr("ask: "));
  EXPECT_THAT(refused(R"({"slot":"s","mark":""})"), HasSubstr("ask: "));
  EXPECT_THAT(refused(R"({"slot":"s","mark":7})"), HasSubstr("ask: "));
}

TEST(SnapshotSignal, RefusesAStartThatIsIncomplete) {
  const auto start = [](const std::string& rest) { return R"({"slot":"s","ask":"start")" + rest + "}"; };
  for (const std::string& rest : std::vector<std::string>{"", R"(,"id":"")", R"(,"id":7,"tables":["a.b"])",
                                                          R"(,"id":null,"tables":["a.b"])", R"(,"tables":["a.b"])"}) {
    EXPECT_THAT(refused(start(rest)), HasSubstr("id: expected")) << rest;
  }
  for (const std::string& tables : std::vector<std::string>{"", R"(,"tables":"a.b")", R"(,"tables":null)",
                                                            R"(,"tables":{"a":"b"})", R"(,"tables":7)"}) {
    EXPECT_THAT(refused(start(R"(,"id":"1")" + tables)), HasSubstr("tables is missing")) << tables;
  }
  EXPECT_THAT(refused(start(R"(,"id":"1","tables":[])")), HasSubstr("tables is empty"));
  for (const std::string& table : std::vector<std::string>{"7", "null", "[]", R"(["a.b"])"}) {
    EXPECT_THAT(refused(start(R"(,"id":"1","tables":["a.b",)" + table + "]")), HasSubstr("expected names such as"))
        << table;
  }
  for (const std::string& table : std::vector<std::string>{"orders", "", "a.b.c", "a.", "a.b; DROP", "*"}) {
    EXPECT_THAT(refused(start(R"(,"id":"1","tables":[")" + table + "\"]")),
                HasSubstr("found \"" + table + "\"; expected schema.table"));
  }
}

TEST(SnapshotSignal, IsToldApartByTheDigestOfAllItsWords) {
  const auto signal = parsed(R"({"slot":"s","ask":"pause","id":"7"})");
  EXPECT_EQ(signal->digest, "0c4c4baf13af00d92f102d7b5239d4d357e4e52ea4731e91678f98ef87471477");
  EXPECT_NE(parsed(R"({"slot":"s","ask":"pause","id":"7" })")->digest, signal->digest);
}

TEST(SnapshotSignal, RefusesNamesThatMeanMoreThanThemselves) {
  const auto with = [](const std::string& rest) {
    return R"({"slot":"s","ask":"start","tables":["a.b"],)" + rest + "}";
  };
  for (const std::string& id :
       std::vector<std::string>{R"(a\u0000z)", "a b", "a'", "ä", "a.b", R"(a\n)", std::string(65, 'x')}) {
    EXPECT_THAT(refused(with(R"("id":")" + id + "\"")), HasSubstr("id: expected")) << id;
    EXPECT_THAT(refused(with(R"("id":"1","channel":")" + id + "\"")), HasSubstr("channel: expected")) << id;
  }
  EXPECT_EQ(parsed(with(R"("id":")" + std::string(64, 'x') + "\""))->snapshot.id.size(), 64U);
  EXPECT_THAT(refused(with(R"("id":"1","channel":7)")), HasSubstr("channel: expected"));
  EXPECT_THAT(refused(with(R"("id":"1","where":"true\u0000")")), HasSubstr("where: holds a NUL"));
  EXPECT_THAT(refused(R"({"slot":"s","ask":"start","id":"1","tables":["a.\"b\u0000\""]})"), HasSubstr("tables: found"));
}

TEST(SnapshotSignal, ReadsNoMoreThanItMust) {
  const std::string head = R"({"slot":"s","ask":"start","id":"1","where":")";
  const std::string tail = R"(","tables":["a.b"]})";
  const std::size_t room = kSignalBytesMost - head.size() - tail.size();
  EXPECT_TRUE(parsed(head + std::string(room, 'x') + tail).has_value());
  EXPECT_THAT(refused(head + std::string(room + 1, 'x') + tail), HasSubstr("65537 bytes; expected 65536 at most"));
  std::string tables = "\"a.b\"";
  for (std::size_t i = 1; i < kTablesInSignalMost; ++i) tables += ",\"a.b\"";
  EXPECT_EQ(parsed(R"({"slot":"s","ask":"start","id":"1","tables":[)" + tables + "]}")->snapshot.tables.size(), 1'000U);
  EXPECT_THAT(refused(R"({"slot":"s","ask":"start","id":"1","tables":[)" + tables + R"(,"a.b"]})"),
              HasSubstr("1000 at most"));
}

TEST(SnapshotSignal, QuotesLittleOfWhatIsWrong) {
  const std::string noise = R"(\u001b[2J)" + std::string(5'000, 'x');
  for (const std::string& content : {R"({"slot":"s","ask":")" + noise + "\"}",
                                     R"({"slot":"s","ask":"start","id":"1","tables":[")" + noise + "\"]}"}) {
    EXPECT_LT(refused(content).size(), 200U);
    EXPECT_THAT(refused(content), HasSubstr(R"(\u001b[2Jxxx)"));
  }
}

TEST(SnapshotSignal, RefusesARateThatIsNoNumberOfRows) {
  for (const char* rate : {"-1", "1.5", "\"5\"", "null", "true", "[]"}) {
    EXPECT_THAT(
        refused(R"({"slot":"s","ask":"start","id":"1","tables":["a.b"],"rows_per_second":)" + std::string(rate) + "}"),
        HasSubstr("rows_per_second: expected a number of rows"))
        << rate;
  }
}

}  // namespace
}  // namespace walcat::test
