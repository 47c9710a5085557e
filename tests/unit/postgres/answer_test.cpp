// What a question asks for is what comes through, or an error that names the question, the place, and what was seen.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/scripted_server.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/membership.h"
#include "walcat/postgres/server.h"
#include "walcat/postgres/slot.h"
#include "walcat/postgres/snapshot.h"

namespace walcat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Texts = std::vector<std::optional<std::string>>;

template <typename... Columns>
Status take(const RawRow& row) {
  TypedRows<Columns...> rows;
  return rows.take(row);
}

TEST(TypedRows, ReadEachColumnWhole) {
  TypedRows<std::string, bool, char, Lsn, std::uint32_t, std::int16_t, double, std::optional<int>> rows;
  ASSERT_TRUE(rows.take({"a", "t", "r", "1/A", "4294967295", "-5", "1e+06", std::nullopt}).is_ok());
  EXPECT_EQ(rows.rows().front(), std::tuple("a", true, 'r', Lsn{0x10000000A}, 4294967295U, -5, 1e6, std::nullopt));
}

TEST(TypedRows, TakeNoNullWhereNoneWasExpected) {
  const Status fits = take<std::string, std::uint32_t>({"a", std::nullopt});
  EXPECT_EQ(fits.code(), StatusCode::kProtocolError);
  EXPECT_EQ(fits.kind(), FaultKind::kProtocol);
  EXPECT_EQ(fits.message(),
            "the server's answer does not fit the question: row 1, column 2 is null, not a whole number from 0 to "
            "4294967295");
}

TEST(TypedRows, TakeNoNumberThatIsNoneOrTooLarge) {
  for (const char* text : {"", "x", "1x", " 1", "1 ", "+1", "-1", "4294967296", "1.0", "0x1"}) {
    EXPECT_FALSE(take<std::uint32_t>({text}).is_ok()) << text;
  }
  EXPECT_FALSE(take<std::int16_t>({"32768"}).is_ok());
  for (const char* text : {"nan", "inf", "1e999", "", "1e"}) EXPECT_FALSE(take<double>({text}).is_ok()) << text;
}

TEST(TypedRows, TakeNothingElseForTruthPositionsAndKinds) {
  for (const char* text : {"", "true", "T", "1", "tt"}) EXPECT_FALSE(take<bool>({text}).is_ok()) << text;
  for (const char* text : {"", "0", "0/", "/0", "0/0x", "g/0", "123456789/0"}) EXPECT_FALSE(take<Lsn>({text}).is_ok());
  for (const char* text : {"", "rr"}) EXPECT_FALSE(take<char>({text}).is_ok()) << text;
}

TEST(TypedRows, ShowWhatWasSeenAsItMayStandInALog) {
  const std::string long_text = "\x1b[2J" + std::string(1'000, 'x');
  const std::string shown = take<int>({long_text}).message();
  EXPECT_THAT(shown, HasSubstr("\"\\u001b[2Jxxx"));
  EXPECT_LT(shown.size(), 300U);
}

TEST(TypedRows, CountRows) {
  TypedRows<int> rows;
  EXPECT_FALSE(rows.at_most_one()->has_value());
  EXPECT_THAT(rows.exactly_one().status().message(), HasSubstr("it has 0 rows, not one"));
  ASSERT_TRUE(rows.take({"1"}).is_ok() && rows.take({"2"}).is_ok());
  EXPECT_THAT(rows.at_most_one().status().message(), HasSubstr("it has 2 rows, not one or none"));
  EXPECT_FALSE(rows.exactly_one().is_ok());
}

TEST(TypedRows, TakeNoMoreThanWereExpected) {
  TypedRows<int> rows(1);
  ASSERT_TRUE(rows.take({"1"}).is_ok());
  EXPECT_THAT(rows.take({"2"}).message(), HasSubstr("it has more rows than 1"));
}

TEST(TextRows, HaveNoNull) {
  TextRows rows(2);
  EXPECT_THAT(rows.take({"a", std::nullopt}).message(), HasSubstr("row 1, column 2 is null, not a text"));
}

TEST(TextRows, AreOneAtMost) {
  TextRows rows(2);
  ASSERT_TRUE(rows.take({"a", ""}).is_ok());
  EXPECT_THAT(rows.take({"a", ""}).message(), HasSubstr("it has more rows than 1"));
}

class AnswerTest : public testing::Test {
 protected:
  // A connection whose next statements are answered so.
  Connection& answered(std::vector<ScriptedServer::Answer> answers) {
    connection_.reset();
    server_.emplace(std::move(answers));
    auto opened = Connection::open({.conn_str = server_->conn_str(), .logger = log::Logger("test")});
    if (!opened.is_ok()) throw std::runtime_error(opened.status().message());
    connection_ = std::move(*opened);
    return *connection_;
  }

  std::optional<ScriptedServer> server_;
  std::unique_ptr<Connection> connection_;
};

const Question kQuestion{"the truth", "SELECT 1"};

TEST_F(AnswerTest, ComesThroughWhereItFits) {
  Connection& connection = answered({{wire::rows({"a", "b"}, {{"1", "x"}, {"2", std::nullopt}})}});
  const auto rows = connection.query<int, std::optional<std::string>>(kQuestion);
  ASSERT_TRUE(rows.is_ok()) << rows.status().message();
  EXPECT_THAT(*rows, ElementsAre(std::tuple(1, "x"), std::tuple(2, std::nullopt)));
}

TEST_F(AnswerTest, NamesTheQuestionThatItDoesNotFit) {
  const Status fits = answered({{wire::rows({"a"}, {{"1"}})}}).query_row<int, int>(kQuestion).status();
  EXPECT_EQ(fits.code(), StatusCode::kProtocolError);
  EXPECT_EQ(fits.message(), "the truth: the server's answer does not fit the question: it has 1 columns, not 2");
  EXPECT_THAT(answered({{wire::rows({"a"}, {})}}).query_value<int>(kQuestion).status().message(),
              HasSubstr("the truth: the server's answer does not fit the question: it has 0 rows, not one"));
}

TEST_F(AnswerTest, IsNotTakenToAnEndThatDoesNotCome) {
  std::string rows = wire::rows({"a"}, std::vector<Texts>(20'000, {"1"}));
  rows.resize(rows.size() - 100);
  EXPECT_THAT(answered({{rows}}).query_value<int>(kQuestion).status().message(), HasSubstr("more rows than 1"));
}

TEST_F(AnswerTest, HasColumnsThoughItHasNoRows) {
  EXPECT_FALSE((answered({{wire::rows({"a"}, {})}}).query<int, int>(kQuestion).is_ok()));
  EXPECT_TRUE((answered({{wire::rows({"a", "b"}, {})}}).query<int, int>(kQuestion).is_ok()));
}

TEST_F(AnswerTest, IsOne) {
  EXPECT_FALSE(answered({{wire::complete() + wire::ready()}}).query<int>(kQuestion).is_ok());
  EXPECT_FALSE(answered({{wire::ready()}}).query<int>(kQuestion).is_ok());
  const std::string one = wire::row_description({"a"}) + wire::data_row({"1"}) + wire::complete();
  EXPECT_THAT(answered({{one + one + wire::ready()}}).query<int>(kQuestion).status().message(),
              HasSubstr("there are several"));
}

TEST_F(AnswerTest, LeavesTheConnectionUsableThoughItDoesNotFit) {
  Connection& connection = answered({{wire::rows({"a"}, {{"x"}, {"y"}})}, {wire::rows({"a"}, {{"1"}})}});
  EXPECT_FALSE(connection.query<int>(kQuestion).is_ok());
  EXPECT_TRUE(connection.query<int>(kQuestion).is_ok());
}

TEST_F(AnswerTest, HasNoEndlessRows) {
  Connection& connection =
      answered({{wire::row_description({"a"}), wire::data_row({std::string(std::size_t{1} << 20, 'x')})}});
  EXPECT_THAT(connection.query<std::string>(kQuestion).status().message(), HasSubstr("it is larger than 256 MiB"));
}

TEST_F(AnswerTest, HasNoEndlessRow) {
  Connection& connection =
      answered({{wire::row_description({"a"}) + "D" + wire::u32(1'500'000'000), std::string(1 << 16, 'x')}});
  EXPECT_THAT(connection.execute("SELECT 1").message(), HasSubstr("it is larger than 256 MiB"));
}

// What the rooms ask, and the answers of servers that have not understood.

TEST_F(AnswerTest, OfAPoolerIsKnownForOne) {
  for (const auto& answer : {wire::rows({"a"}, {{"1"}}), wire::rows({"a", "b", "c", "d"}, {}),
                             wire::rows({"a", "b", "c", "d"}, {{"1", "1", std::nullopt, "d"}})}) {
    const Status known = identify_server(answered({{answer}})).status();
    EXPECT_EQ(known.code(), StatusCode::kProtocolError);
    EXPECT_THAT(known.message(), testing::StartsWith("IDENTIFY_SYSTEM: the server's answer does not fit"));
    EXPECT_THAT(known.message(), HasSubstr("hint: connect to the server directly, not through a pooler"));
  }
}

TEST_F(AnswerTest, SaysWhereASlotStandsOrIsRefused) {
  const std::vector<std::string> names{"plugin", "database", "pid",       "lost",
                                       "flush",  "reason",   "two_phase", "temporary"};
  const Texts sound{"pgoutput", "d", "0", "f", "0/10", std::nullopt, "f", "f"};
  const auto slot = find_slot(answered({{wire::rows(names, {sound})}}), "s");
  ASSERT_TRUE(slot.is_ok()) << slot.status().message();
  EXPECT_EQ((*slot)->confirmed_flush, Lsn{0x10});
  for (const std::size_t column : {2U, 3U, 6U, 7U}) {
    Texts row = sound;
    row[column] = std::nullopt;
    EXPECT_FALSE(find_slot(answered({{wire::rows(names, {row})}}), "s").is_ok()) << column;
  }
  EXPECT_THAT(find_slot(answered({{wire::rows(names, {sound, sound})}}), "s").status().message(),
              HasSubstr("slot s: the server's answer does not fit the question: it has more rows than 1"));
}

TEST_F(AnswerTest, NamesAsManySlotsAsThereAre) {
  EXPECT_EQ(check_free_slot(answered({{wire::rows({"a", "b"}, {{"10", "9"}})}})).code(), StatusCode::kOk);
  EXPECT_EQ(check_free_slot(answered({{wire::rows({"a", "b"}, {{"10", "10"}})}})).code(), StatusCode::kRefused);
  EXPECT_EQ(check_free_slot(answered({{wire::rows({"a", "b"}, {})}})).code(), StatusCode::kProtocolError);
  EXPECT_EQ(check_free_slot(answered({{wire::rows({"a", "b"}, {{"10", std::nullopt}})}})).code(),
            StatusCode::kProtocolError);
}

TEST_F(AnswerTest, HasTablesOfPages) {
  const auto sizes_of = [&](const std::string& bytes, const std::string& page_bytes) {
    const std::vector<std::string> names(11, "c");
    return named_relations(
        answered(
            {{wire::rows({"oid", "schema", "name", "identity", "columns", "filter", "key"},
                         {{"1", "public", "t", "d", std::nullopt, std::nullopt, "t"}})},
             {wire::rows({"oid", "name", "type", "modifier", "key", "generated"}, {{"1", "id", "23", "-1", "t", "f"}})},
             {wire::rows(names, {{"1", "1", "public", "t", "1", "f", bytes, page_bytes, "-1", "f", "t"}})}}),
        {{"public", "t"}});
  };
  const auto sound = sizes_of("16384", "8192");
  ASSERT_TRUE(sound.is_ok()) << sound.status().message();
  EXPECT_EQ(sound->front().tables.front().pages, 2U);
  for (const auto& [bytes, page_bytes] : {std::pair("16384", "0"), std::pair("18446744073709551615", "1")}) {
    EXPECT_THAT(sizes_of(bytes, page_bytes).status().message(), HasSubstr("has pages of")) << page_bytes;
  }
}

TEST_F(AnswerTest, HasAHistoryOfTimelinesThatEnds) {
  const auto history_of = [&](const std::string& content) {
    return timeline_history(answered({{wire::rows({"filename", "content"}, {{"2.history", content}})}}), 2);
  };
  EXPECT_EQ(history_of("1\t0/10\tx\n").value().size(), 1U);
  EXPECT_EQ(history_of(std::string(std::size_t{5} << 20, '\n')).status().code(), StatusCode::kProtocolError);
}

TEST_F(AnswerTest, OfAServerWithoutAVersionIsKnownForOne) {
  ScriptedServer server({}, "");
  const auto opened = Connection::open({.conn_str = server.conn_str(), .logger = log::Logger("test")});
  EXPECT_EQ(opened.status().code(), StatusCode::kProtocolError);
  EXPECT_THAT(opened.status().message(), HasSubstr("does not say its version"));
}

// libpq would keep them all.
TEST_F(AnswerTest, MayComeWithAThousandNotifications) {
  std::string notifications;
  for (int i = 0; i < 1'000; ++i) {
    notifications += wire::message('A', wire::u32(7) + wire::text("c") + wire::text(std::to_string(i)));
  }
  const std::string too_long = wire::message('A', wire::u32(7) + wire::text("c") + wire::text(std::string(9'000, 'x')));
  Connection& connection = answered({{too_long + notifications + wire::rows({"a"}, {{"1"}})}});
  ASSERT_TRUE(connection.query<int>(kQuestion).is_ok());
  std::size_t kept = 0;
  while (const auto told = connection.take_notification()) {
    EXPECT_EQ(told->payload, std::to_string(kept++));
    EXPECT_EQ(told->pid, 7);
  }
  EXPECT_GE(kept, 256U);
  EXPECT_LT(kept, 1'000U);
}

TEST_F(AnswerTest, MayComeWithManyNoticesOfWhichSomeAreLogged) {
  std::string notices;
  for (int i = 0; i < 10'000; ++i) notices += wire::notice(std::string(2'000, 'n'));
  Connection& connection = answered({{notices + wire::rows({"a"}, {{"1"}})}});
  testing::internal::CaptureStderr();
  EXPECT_TRUE(connection.query<int>(kQuestion).is_ok());
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_THAT(logged, HasSubstr("server: nnn"));
  EXPECT_LT(logged.size(), std::size_t{102} * 1'100);
}

TEST_F(AnswerTest, IsCutWhereItIsAnErrorOfManyWords) {
  const std::string error =
      wire::message('E', wire::text("SERROR") + wire::text("C42601") + wire::text("M" + std::string(100'000, 'm')) +
                             wire::text("D" + std::string(100'000, 'd')) + '\0');
  const Status failed = answered({{error + wire::ready()}}).query<int>(kQuestion).status();
  EXPECT_EQ(failed.code(), StatusCode::kRefused);
  EXPECT_LT(failed.message().size(), 5'000U);
}

TEST_F(AnswerTest, HasTheEndOfTheLog) {
  EXPECT_EQ(end_of_log(answered({{wire::rows({"a"}, {})}})).status().code(), StatusCode::kProtocolError);
  EXPECT_EQ(end_of_log(answered({{wire::rows({"a"}, {{"0/10"}})}})).value(), Lsn{0x10});
}

}  // namespace
}  // namespace walcat
