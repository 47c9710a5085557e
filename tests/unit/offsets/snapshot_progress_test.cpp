// How far a snapshot has come, in the offset file.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "offsets/stored_offset.h"

namespace walcat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// Chunks as text: `x` is done.
SnapshotProgress::Table table(const std::string& name, std::uint32_t oid, const std::string& chunks) {
  SnapshotProgress::Table table;
  table.name = name;
  table.oid = oid;
  table.filenode = oid + 1000;
  table.chunk_pages = 2048;
  for (const char chunk : chunks) table.done.push_back(chunk == 'x');
  return table;
}

Offset with_snapshot(std::vector<SnapshotProgress::Table> tables = {}) {
  Offset offset{"7301234567890123456", 3, "db1", "slot1", "pub1", {Lsn{0x16B374D848}, Lsn{}, 0}};
  offset.snapshot.emplace();
  offset.snapshot->point = Lsn{0x16B374D848};
  offset.snapshot->began = 823'123'123'123'456;
  offset.snapshot->visible = "750:755:751,753";
  offset.snapshot->sessions = 2;
  offset.snapshot->tables = std::move(tables);
  return offset;
}

class SnapshotProgressFile : public StoredOffset {
 protected:
  // The file of three chunks of which the first is done, with `to` instead of `from`.
  std::string with(const std::string& from, const std::string& to) {
    return stored_with(with_snapshot({table("public.t", 16385, "x..")}), from, to);
  }
};

TEST_F(SnapshotProgressFile, GivesBackWhatItStored) {
  Offset offset = with_snapshot({table("public.t", 16385, "xxx..x"), table("public.u", 16390, ".")});
  offset.snapshot->tables[0].is_mixed = true;
  offset.snapshot->tables[1].is_rewritten = true;
  offset.snapshot->tables[1].chunk_pages = 0;
  EXPECT_EQ(stored_and_loaded(offset), offset);
}

TEST_F(SnapshotProgressFile, GivesBackEveryPatternOfChunks) {
  for (std::size_t size = 1; size <= 6; ++size) {
    for (unsigned pattern = 0; pattern < 1U << size; ++pattern) {
      std::string chunks;
      for (std::size_t i = 0; i < size; ++i) chunks += (pattern >> i & 1) != 0 ? 'x' : '.';
      const Offset offset = with_snapshot({table("public.t", 16385, chunks)});
      ASSERT_EQ(stored_and_loaded(offset), offset) << chunks;
    }
  }
}

TEST_F(SnapshotProgressFile, WritesChunksAsRanges) {
  const std::map<std::string, std::string> kRanges{
      {"...", ""}, {"x..", "0"}, {"..x", "2"}, {"xxx", "0-2"}, {"xxx..x", "0-2,5"}, {"x.x.x", "0,2,4"}, {"xx", "0-1"}};
  for (const auto& [chunks, ranges] : kRanges) {
    EXPECT_THAT(stored(with_snapshot({table("public.t", 16385, chunks)})), HasSubstr("\"done\":\"" + ranges + "\""))
        << chunks;
  }
}

TEST_F(SnapshotProgressFile, IsAsDocumented) {
  EXPECT_THAT(stored(with_snapshot({table("public.t", 16385, "xx.x")})),
              HasSubstr(R"("snapshot":{"point":"16/B374D848","began":823123123123456,"visible":"750:755:751,753",)"
                        R"("sessions":2,"complete":false,"tables":[{"table":"public.t","oid":16385,"filenode":17385,)"
                        R"("chunk_pages":2048,"chunks":4,"done":"0-1,3","mixed":false,"rewritten":false}]})"));
}

TEST_F(SnapshotProgressFile, GivesBackACompleteSnapshot) {
  Offset offset = with_snapshot();
  offset.snapshot->complete = true;
  EXPECT_EQ(stored_and_loaded(offset), offset);
  EXPECT_THAT(file_content(file_.path()), HasSubstr(R"("complete":true,"tables":[])"));
}

TEST_F(SnapshotProgressFile, GivesBackAnOpenTransactionBesideASnapshot) {
  Offset offset = with_snapshot({table("public.t", 16385, "x.")});
  offset.done.open_commit_lsn = Lsn{0x16B374D900};
  offset.done.open_changes = 7;
  EXPECT_EQ(stored_and_loaded(offset), offset);
}

TEST_F(SnapshotProgressFile, GivesBackManyTablesAndManyChunks) {
  std::vector<SnapshotProgress::Table> tables;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    tables.push_back(
        table("public.t" + std::to_string(i), 16385 + i, std::string(i % 7, 'x') + "." + (i % 2 ? "x" : "")));
  }
  std::string chunks;
  for (int i = 0; i < 100'000; ++i) chunks += i % 3 == 0 ? '.' : 'x';
  tables.push_back(table("public.huge", 4'294'967'295, chunks));
  tables.back().filenode = 4'294'967'295;
  tables.back().chunk_pages = 4'294'967'295;
  const Offset offset = with_snapshot(std::move(tables));
  EXPECT_EQ(stored_and_loaded(offset), offset);
}

TEST_F(SnapshotProgressFile, TakesNamesOfEveryKind) {
  const Offset offset =
      with_snapshot({table("\"q\"\"b\\n\n\x01\x1F\x7F ü\".\"},]\t\"", 16385, "x."), table("", 2, ".")});
  EXPECT_EQ(stored_and_loaded(offset), offset);
}

// Names are for people; that a name is no text must not cost the progress.
TEST_F(SnapshotProgressFile, ReplacesWhatIsNoUtf8InNamesAndKeepsTheRest) {
  Offset offset = with_snapshot({table("sch\xE4ma.t\xFF\"", 16385, "x.x"), table("\xE2\x82", 16390, ".x")});
  const Offset loaded = stored_and_loaded(offset);
  ASSERT_TRUE(loaded.snapshot.has_value());
  ASSERT_EQ(loaded.snapshot->tables.size(), 2U);
  EXPECT_EQ(loaded.snapshot->tables[0].name, "sch\uFFFDma.t\uFFFD\"");
  for (std::size_t i = 0; i < 2; ++i) offset.snapshot->tables[i].name = loaded.snapshot->tables[i].name;
  EXPECT_EQ(loaded, offset);
}

TEST_F(SnapshotProgressFile, LoadsAFileOfARunWithoutSnapshots) {
  Offset offset = with_snapshot();
  offset.snapshot.reset();
  EXPECT_EQ(stored_and_loaded(offset), offset);
  EXPECT_THAT(file_content(file_.path()), Not(HasSubstr("snapshot")));
  // As the first release wrote it.
  put_file(file_.path(),
           R"({"version":1,"system_identifier":"7301","timeline":1,"database":"db1","slot":"s","publication":"p",)"
           R"("position":"0/15E4C58","stored_at":"2026-01-31T12:00:00Z"})"
           "\n");
  const auto loaded = file_.load();
  ASSERT_TRUE(loaded.is_ok()) << loaded.status().message();
  EXPECT_FALSE((*loaded)->snapshot.has_value());
  EXPECT_EQ((*loaded)->done.position, Lsn{0x15E4C58});
}

TEST_F(SnapshotProgressFile, CallsBrokenRangesAGap) {
  for (const char* ranges : {"3-1",
                             "2-1",
                             "9",
                             "3",
                             "0-3",
                             "1-9",
                             "x",
                             "0,x",
                             "0-x",
                             "-",
                             "-1",
                             "0-",
                             "0--1",
                             "0-1-2",
                             ",",
                             ",0",
                             "0,,1",
                             " 0",
                             "0 ",
                             "+1",
                             "0x1",
                             "1.0",
                             "1e0",
                             "0;1",
                             "99999999999999999999999",
                             "0-18446744073709551615",
                             "18446744073709551615",
                             "18446744073709551616",
                             "\\u0000"}) {
    SCOPED_TRACE(ranges);
    expect_gap(with(R"("done":"0")", std::string(R"("done":")") + ranges + "\""));
  }
  expect_gap(with(R"("done":"0")", R"("done":0)"));
  expect_gap(with(R"("done":"0")", R"("done":null)"));
  expect_gap(with(R"("done":"0")", R"("done":["0"])"));
  expect_gap(with(R"("chunks":3)", R"("chunks":0)"));
}

TEST_F(SnapshotProgressFile, CallsAnAbsurdNumberOfChunksAGap) {
  for (const char* chunks : {"4294967297", "18446744073709551615", "9223372036854775807", "18446744073709551616", "-1",
                             "-9223372036854775808", "2.5", "1e30", "\"3\"", "null", "true", "[]"}) {
    SCOPED_TRACE(chunks);
    expect_gap(with(R"("chunks":3)", std::string(R"("chunks":)") + chunks));
  }
}

TEST_F(SnapshotProgressFile, CallsASnapshotWithoutAllOfItsPartsAGap) {
  for (const char* part :
       {R"("point":"16/B374D848",)", R"("began":823123123123456,)", R"("visible":"750:755:751,753",)",
        R"("sessions":2,)", R"("complete":false,)", R"("table":"public.t",)", R"("oid":16385,)", R"("filenode":17385,)",
        R"("chunk_pages":2048,)", R"("chunks":3,)", R"("done":"0",)", R"("mixed":false,)", R"(,"rewritten":false)"}) {
    SCOPED_TRACE(part);
    expect_gap(with(part, ""));
  }
}

TEST_F(SnapshotProgressFile, CallsPartsOfAnotherKindAGap) {
  const std::pair<std::string, std::string> kWrong[] = {{R"("point":"16/B374D848")", R"("point":"16/B374D84G")"},
                                                        {R"("point":"16/B374D848")", R"("point":1000)"},
                                                        {R"("began":823123123123456)", R"("began":"now")"},
                                                        {R"("visible":"750:755:751,753")", R"("visible":750)"},
                                                        {R"("sessions":2)", R"("sessions":-2)"},
                                                        {R"("sessions":2)", R"("sessions":"2")"},
                                                        {R"("complete":false)", R"("complete":0)"},
                                                        {R"("oid":16385)", R"("oid":-1)"},
                                                        {R"("mixed":false)", R"("mixed":"no")"},
                                                        {R"("rewritten":false)", R"("rewritten":null)"}};
  for (const auto& [from, to] : kWrong) {
    SCOPED_TRACE(to);
    expect_gap(with(from, to));
  }
  const std::string good = stored(with_snapshot());
  const auto begin = good.find("\"snapshot\":");
  const auto end = good.find("]}", begin) + 2;
  for (const char* wrong : {"null", "7", "[]", "{}", "\"complete\"", R"({"tables":{}})"}) {
    SCOPED_TRACE(wrong);
    std::string text = good;
    expect_gap(text.replace(begin, end - begin, std::string("\"snapshot\":") + wrong));
  }
}

// What a number of 32 bits has no room for was not written by us, and half of it is another number.
TEST_F(SnapshotProgressFile, CallsNumbersThatDoNotFitAGap) {
  for (const auto& [from, name] : std::map<std::string, std::string>{{R"("oid":16385)", "oid"},
                                                                     {R"("filenode":17385)", "filenode"},
                                                                     {R"("chunk_pages":2048)", "chunk_pages"},
                                                                     {R"("sessions":2)", "sessions"}}) {
    SCOPED_TRACE(name);
    expect_gap(with(from, "\"" + name + "\":4294967297"));
  }
}

TEST_F(SnapshotProgressFile, CallsATornFileAGap) {
  const std::string good = stored(with_snapshot({table("public.t", 16385, "xxx..x"), table("public.u", 16390, ".")}));
  for (std::size_t size = 1; size + 1 < good.size(); ++size) expect_gap(good.substr(0, size));
}

TEST(SnapshotProgress, CountsItsChunks) {
  const SnapshotProgress none;
  EXPECT_EQ(none.chunks(), 0U);
  EXPECT_EQ(none.chunks_left(), 0U);
  SnapshotProgress progress;
  progress.tables = {table("t", 1, "xx.x"), table("u", 2, "."), table("w", 3, "x")};
  EXPECT_EQ(progress.chunks(), 6U);
  EXPECT_EQ(progress.chunks_left(), 2U);
}

}  // namespace
}  // namespace walcat::test
