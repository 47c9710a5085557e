// Incremental snapshots, and what the configuration captured, in the offset file.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <utility>
#include <vector>

#include "offsets/stored_offset.h"

namespace walcat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

IncrementalSnapshot snapshot() {
  IncrementalSnapshot snapshot;
  snapshot.id = "a1b2";
  snapshot.parts = {16390, 16391};
  snapshot.channel = "walcat_c3";
  snapshot.tables = {{"public", "orders"}, {"My.Shop", "a\"b"}};
  snapshot.part = {"public", "orders_1"};
  snapshot.key = {"id bigint"};
  snapshot.last_key = {"4711"};
  snapshot.seen_xid = 750;
  return snapshot;
}

Offset with_incremental(std::vector<IncrementalSnapshot> snapshots) {
  Offset offset{"7301234567890123456", 3, "db1", "slot1", "pub1", {Lsn{0x16B374D848}, Lsn{}, 0}};
  offset.incremental = std::move(snapshots);
  return offset;
}

Offset with_captured() {
  Offset offset = with_incremental({snapshot()});
  offset.captured = {{{"public", "orders"}}, {"public\\..*"}, {".*\\.audit"}};
  return offset;
}

class IncrementalSnapshotFile : public StoredOffset {
 protected:
  // The file with `to` instead of `from`.
  std::string with(const std::string& from, const std::string& to) { return stored_with(with_captured(), from, to); }
};

TEST_F(IncrementalSnapshotFile, StandsInAFormThatPeopleRead) {
  EXPECT_THAT(
      stored(with_captured()),
      HasSubstr(
          R"("incremental":[{"id":"a1b2","channel":"walcat_c3","tables":["public.orders","\"My.Shop\".\"a\"\"b\""],"parts":[16390,16391],"where":"",)"
          R"("rows_per_second":0,"paused":false,"added":false,"part":"public.orders_1",)"
          R"("key":["id bigint"],"last_key":["4711"],"seen_xid":750}],"captured":{"tables":["public.orders"],"include":["public\\..*"],)"
          R"("exclude":[".*\\.audit"]},"stored_at")"));
}

TEST_F(IncrementalSnapshotFile, GivesBackWhatItStored) {
  IncrementalSnapshot full = snapshot();
  full.where = "note = E'\"\\n' AND\tv > 3";
  full.rows_per_second = ~std::uint64_t{0};
  full.is_paused = true;
  full.last_key = {"", "a\tb\n\"\\", "ü\x01"};
  IncrementalSnapshot added;
  added.id = "added-1";
  added.tables = {{"public", "u"}};
  added.is_added = true;
  for (const auto& snapshots : std::vector<std::vector<IncrementalSnapshot>>{
           {}, {snapshot()}, {full}, {full, added}, {added, full, snapshot()}}) {
    EXPECT_EQ(stored_and_loaded(with_incremental(snapshots)), with_incremental(snapshots));
  }
}

TEST_F(IncrementalSnapshotFile, GivesBackWhatTheConfigurationCaptured) {
  for (const CapturedTables& captured :
       std::vector<CapturedTables>{{},
                                   {{{"public", "t"}}, {}, {}},
                                   {{}, {"public\\..*", "\"q\""}, {".*"}},
                                   {{{"A.b", "c\\d"}, {"public", "u"}}, {"x"}, {"y", "z"}}}) {
    Offset offset = with_incremental({});
    offset.captured = captured;
    EXPECT_EQ(stored_and_loaded(offset), offset);
  }
}

TEST_F(IncrementalSnapshotFile, StandsBesideAnOpenTransactionAndASnapshot) {
  Offset offset = with_captured();
  offset.done.open_commit_lsn = Lsn{0x16B374D900};
  offset.done.open_changes = 3;
  offset.snapshot.emplace();
  offset.snapshot->point = Lsn{0x16B374D848};
  offset.snapshot->sessions = 1;
  offset.snapshot->complete = true;
  EXPECT_EQ(stored_and_loaded(offset), offset);
}

TEST_F(IncrementalSnapshotFile, SaysNothingWhereThereIsNone) {
  const std::string text = stored(with_incremental({}));
  EXPECT_THAT(text, Not(HasSubstr("incremental")));
  EXPECT_THAT(text, Not(HasSubstr("captured")));
}

TEST_F(IncrementalSnapshotFile, TakesFilesOfVersionsThatKnewOfNeither) {
  put_file(file_.path(), R"({"version":1,"system_identifier":"7301234567890123456","timeline":3,"database":"db1",)"
                         R"("slot":"slot1","publication":"pub1","position":"16/B374D848",)"
                         R"("stored_at":"2026-01-31T12:00:00Z"})"
                         "\n");
  EXPECT_EQ(loaded(), with_incremental({}));
}

TEST_F(IncrementalSnapshotFile, CallsAPartThatDoesNotFitAGap) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {R"("id":"a1b2",)", ""},
      {R"("id":"a1b2")", R"("id":7)"},
      {R"(["public.orders",)", R"(["orders",)"},
      {R"(["public.orders",)", "[7,"},
      {R"("where":"",)", ""},
      {R"("where":"")", R"("where":null)"},
      {R"("rows_per_second":0)", R"("rows_per_second":-1)"},
      {R"("rows_per_second":0)", R"("rows_per_second":"0")"},
      {R"("paused":false)", R"("paused":0)"},
      {R"("added":false,)", ""},
      {R"("part":"public.orders_1")", R"("part":"orders_1")"},
      {R"("part":"public.orders_1")", R"("part":null)"},
      {R"("last_key":["4711"])", R"("last_key":[4711])"},
      {R"("last_key":["4711"])", R"("last_key":"4711")"},
      {R"("incremental":[)", R"("incremental":[7,)"},
      {R"("captured":{"tables":["public.orders"],)", R"("captured":{)"},
      {R"("tables":["public.orders"],"include")", R"("tables":["orders"],"include")"},
      {R"("include":["public\\..*"])", R"("include":null)"},
      {R"("exclude":[".*\\.audit"])", R"("exclude":[7])"}};
  for (const auto& [from, to] : wrong) {
    SCOPED_TRACE(to);
    expect_gap(with(from, to));
  }
  for (const char* whole : {"null", "7", "{}", "\"x\"", "[[]]"}) {
    SCOPED_TRACE(whole);
    const std::string good = stored(with_captured());
    const auto begin = good.find("\"incremental\":") + 14;
    const auto end = good.find(",\"captured\"");
    expect_gap(std::string(good).replace(begin, end - begin, whole));
  }
}

TEST_F(IncrementalSnapshotFile, RunsNoConditionThatOthersMayHaveWritten) {
  IncrementalSnapshot with_condition = snapshot();
  with_condition.where = "v > 3";
  stored(with_incremental({snapshot(), with_condition}));
  EXPECT_TRUE(file_.load().is_ok());
  for (const ::mode_t mode : {0620U, 0602U, 0666U}) {
    ASSERT_EQ(::chmod(file_.path().c_str(), mode), 0);
    const auto refused = file_.load();
    ASSERT_FALSE(refused.is_ok());
    EXPECT_EQ(refused.status().code(), StatusCode::kRefused);
    EXPECT_THAT(refused.status().message(), HasSubstr("mode 06"));
  }
  stored(with_incremental({snapshot()}));
  ASSERT_EQ(::chmod(file_.path().c_str(), 0666), 0);
  EXPECT_TRUE(file_.load().is_ok()) << "no condition in it";
}

TEST_F(IncrementalSnapshotFile, ReadsWhatHadNoChannel) {
  put_file(file_.path(), with(R"("channel":"walcat_c3",)", ""));
  EXPECT_EQ(loaded().incremental.front().channel, "");
}

TEST_F(IncrementalSnapshotFile, CallsATornFileAGap) {
  const std::string good = stored(with_captured());
  for (std::size_t size = 1; size + 1 < good.size(); ++size) expect_gap(good.substr(0, size));
}

}  // namespace
}  // namespace walcat::test
