#include "walcat/offsets/offset_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>

#include "offsets/temporary_folder.h"

namespace walcat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

Offset between_transactions() {
  return {"7301234567890123456", 3, "db1", "slot1", "pub1", {Lsn{0x16B374D848}, Lsn{}, 0}};
}

TEST(OffsetFile, GivesBackWhatItStored) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  ASSERT_TRUE(file.store(between_transactions()).is_ok());
  const auto loaded = file.load();
  ASSERT_TRUE(loaded.is_ok()) << loaded.status().message();
  EXPECT_EQ(**loaded, between_transactions());
}

TEST(OffsetFile, GivesBackAnOpenTransaction) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  Offset offset = between_transactions();
  offset.done.open_commit_lsn = Lsn{0x16B374D900};
  offset.done.open_changes = 12'345'678'901;
  ASSERT_TRUE(file.store(offset).is_ok());
  EXPECT_THAT(file_content(file.path()),
              HasSubstr(R"("open_transaction":{"commit_lsn":"16/B374D900","changes":12345678901})"));
  EXPECT_EQ(**file.load(), offset);
}

TEST(OffsetFile, GivesBackWhatRulesHid) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  Offset offset = between_transactions();
  const TableName table{"public", "T \"1\""};
  offset.remembered = {{.oid = 16385,
                        .layout = {table, {"id", "e\\mail", "x"}},
                        .hidden = {"e\\mail"},
                        .numbers = {{2, "e\\mail"}, {1600, "x"}},
                        .dropped = {{"e\\mail", Lsn{0x16B374D900}}},
                        .printed = {{{"old", "t"}, {}}, {table, {"id", "e\\mail", "x"}}},
                        .until = {Lsn{0x16B374D900}, 7},
                        .masked = {"x"},
                        .let_through = {"y"},
                        .parts = {16390, 4'000'000'000},
                        .former = {"public.t.mail"},
                        .is_excluded = true,
                        .is_kept_out = true,
                        .is_let_through = true,
                        .is_from_catalog = true},
                       {.oid = 4'000'000'000, .layout = {{"a", "b"}}}};
  ASSERT_TRUE(file.store(offset).is_ok());
  EXPECT_EQ(**file.load(), offset);
}

TEST(OffsetFile, GivesBackTheSlotsOfTheConfiguration) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  Offset offset = between_transactions();
  offset.configured_slots = {"slot1", "slot2"};
  ASSERT_TRUE(file.store(offset).is_ok());
  EXPECT_THAT(file_content(file.path()), HasSubstr(R"("configured_slots":["slot1","slot2"],)"));
  EXPECT_EQ(**file.load(), offset);
}

TEST(OffsetFile, IsOneReadableJsonObject) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  ASSERT_TRUE(file.store(between_transactions()).is_ok());
  const std::string text = file_content(file.path());
  EXPECT_THAT(text, testing::StartsWith(R"({"version":1,"system_identifier":"7301234567890123456","timeline":3,)"
                                        R"("database":"db1","slot":"slot1","publication":"pub1",)"
                                        R"("position":"16/B374D848","stored_at":"20)"));
  EXPECT_THAT(text, testing::EndsWith("Z\"}\n"));
  EXPECT_THAT(text, Not(HasSubstr("open_transaction")));
}

TEST(OffsetFile, TakesNamesOfEveryKind) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  Offset offset = between_transactions();
  offset.database = "q\"b\\n\n\x01 ü";
  offset.publication = "a,}\t";
  ASSERT_TRUE(file.store(offset).is_ok());
  EXPECT_EQ(**file.load(), offset);
}

TEST(OffsetFile, ReplacesTheOffsetBefore) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  Offset offset = between_transactions();
  offset.database = std::string(5000, 'x');
  ASSERT_TRUE(file.store(offset).is_ok());
  ASSERT_TRUE(file.store(between_transactions()).is_ok());
  EXPECT_EQ(**file.load(), between_transactions());
  EXPECT_FALSE(std::filesystem::exists(file.path() + ".tmp"));
}

TEST(OffsetFile, HasNothingBeforeTheFirstStore) {
  const TemporaryFolder folder;
  const auto loaded = OffsetFile(folder / "offset").load();
  ASSERT_TRUE(loaded.is_ok());
  EXPECT_FALSE(loaded->has_value());
}

TEST(OffsetFile, CallsWhatIsNoOffsetAGapAndNamesThePath) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  ASSERT_TRUE(file.store(between_transactions()).is_ok());
  const std::string good = file_content(file.path());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  std::vector<std::string> bad{
      "",
      " ",
      "garbage",
      "{}",
      "[]",
      "3",
      "null",
      std::string(100, '\0'),
      good + good,
      with(R"("version":1)", R"("version":2)"),
      with(R"("version":1)", R"("version":"1")"),
      with(R"("timeline":3)", R"("timeline":"3")"),
      with(R"("timeline":3)", R"("timeline":-3)"),
      with(R"("timeline":3,)", ""),
      with(R"("slot":"slot1")", R"("slot":null)"),
      with("16/B374D848", "16/B374D84G"),
      with("16/B374D848", ""),
      with(R"("16/B374D848")", "97000000"),
      with(R"("stored_at")", R"("open_transaction":7,"stored_at")"),
      with(R"("stored_at")", R"("open_transaction":{"commit_lsn":"0/1"},"stored_at")"),
      with(R"("stored_at")", R"("open_transaction":{"commit_lsn":"0/1","changes":0},"stored_at")")};
  // Torn at every byte; the last newline may go.
  for (std::size_t size = 1; size + 1 < good.size(); ++size) bad.push_back(good.substr(0, size));
  for (const std::string& text : bad) {
    put_file(file.path(), text);
    const auto loaded = file.load();
    ASSERT_FALSE(loaded.is_ok()) << text;
    EXPECT_EQ(loaded.status().code(), StatusCode::kGap) << text;
    EXPECT_THAT(loaded.status().message(), HasSubstr(file.path()));
    EXPECT_THAT(loaded.status().message(), HasSubstr("hint: "));
  }
}

TEST(OffsetFile, CallsAFolderInItsPlaceAGap) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "offset");
  EXPECT_EQ(OffsetFile(folder / "offset").load().status().code(), StatusCode::kGap);
}

TEST(OffsetFile, CannotStoreWhereThereIsNoFolder) {
  const TemporaryFolder folder;
  const std::string path = folder / "missing/offset";
  const Status stored = OffsetFile(path).store(between_transactions());
  EXPECT_EQ(stored.code(), StatusCode::kUnavailable);
  EXPECT_THAT(stored.message(), HasSubstr(path));
  EXPECT_THAT(stored.message(), HasSubstr("No such file or directory"));
}

TEST(OffsetFile, LeavesTheOldContentWhenStoringFails) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  ASSERT_TRUE(file.store(between_transactions()).is_ok());
  std::filesystem::create_directory(folder / "offset.tmp");
  Offset later = between_transactions();
  later.done.position = Lsn{~std::uint64_t{0}};
  EXPECT_EQ(file.store(later).code(), StatusCode::kUnavailable);
  EXPECT_EQ(**file.load(), between_transactions());
}

TEST(OffsetFile, IsItsOwnersAlone) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  put_file(file.path(), "");
  ASSERT_EQ(::chmod(file.path().c_str(), 0666), 0);
  ASSERT_TRUE(file.store(between_transactions()).is_ok());
  EXPECT_EQ(std::filesystem::status(file.path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST(OffsetFile, WritesToNoFileThatALinkBesideItLeadsTo) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  put_file(folder / "of others", "theirs");
  std::filesystem::create_symlink(folder / "of others", folder / "offset.tmp");
  ASSERT_TRUE(file.store(between_transactions()).is_ok());
  EXPECT_EQ(file_content(folder / "of others"), "theirs");
  EXPECT_EQ(**file.load(), between_transactions());
}

TEST(OffsetFile, CallsAFifoInItsPlaceAGapAndDoesNotWaitForIt) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  ASSERT_EQ(::mkfifo(file.path().c_str(), 0600), 0);
  const auto loaded = file.load();
  EXPECT_EQ(loaded.status().code(), StatusCode::kGap);
  EXPECT_THAT(loaded.status().message(), HasSubstr("not a regular file"));
}

TEST(OffsetFile, CallsOneThatIsTooLargeAGap) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  put_file(file.path(), "");
  std::filesystem::resize_file(file.path(), std::uintmax_t{1} << 40);
  EXPECT_EQ(file.load().status().code(), StatusCode::kGap);
}

TEST(OffsetFile, CallsWhatCanNotBeOpenedJustNowNoGap) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  ASSERT_TRUE(file.store(between_transactions()).is_ok());
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{0, limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto loaded = file.load();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(loaded.status().code(), StatusCode::kUnavailable) << loaded.status().message();
  EXPECT_EQ(**file.load(), between_transactions());
}

TEST(OffsetFile, IsNotDisturbedByTheTemporaryFileOfACrash) {
  const TemporaryFolder folder;
  const OffsetFile file(folder / "offset");
  put_file(folder / "offset.tmp", std::string(10'000, '{'));
  EXPECT_FALSE(file.load()->has_value());
  ASSERT_TRUE(file.store(between_transactions()).is_ok());
  EXPECT_EQ(**file.load(), between_transactions());
}

}  // namespace
}  // namespace walcat::test
