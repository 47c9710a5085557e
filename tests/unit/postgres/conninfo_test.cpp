#include "walcat/postgres/conninfo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace walcat {
namespace {

using testing::HasSubstr;
using testing::Not;

class Conninfo : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : kNames) ::unsetenv(name);
  }
  void TearDown() override { SetUp(); }

 private:
  static constexpr std::array<const char*, 7> kNames{"PGHOST",     "PGHOSTADDR", "PGPORT",       "PGUSER",
                                                     "PGDATABASE", "PGSERVICE",  "PGSERVICEFILE"};
};

TEST_F(Conninfo, ReadsUris) {
  const auto target = parse_conninfo("postgresql://me:pw@db.example:6432/shop?sslmode=require");
  ASSERT_TRUE(target.is_ok()) << target.status().message();
  EXPECT_EQ(target->host, "db.example");
  EXPECT_EQ(target->port, "6432");
  EXPECT_EQ(target->user, "me");
  EXPECT_EQ(target->database, "shop");
}

TEST_F(Conninfo, ReadsKeysAndValues) {
  const auto target = parse_conninfo("host=/run/pg user='o''' dbname = 'my db'");
  EXPECT_FALSE(target.is_ok());
  const auto right = parse_conninfo("host=/run/pg user='o\\'' dbname = 'my db' replication=database");
  ASSERT_TRUE(right.is_ok()) << right.status().message();
  EXPECT_EQ(right->host, "/run/pg");
  EXPECT_EQ(right->user, "o'");
  EXPECT_EQ(right->database, "my db");
}

TEST_F(Conninfo, FillsInLibpqsDefaults) {
  const auto target = parse_conninfo("user=me");
  ASSERT_TRUE(target.is_ok());
  EXPECT_EQ(target->host, "");
  EXPECT_EQ(target->port, "5432");
  EXPECT_EQ(target->database, "me");
}

TEST_F(Conninfo, FillsInTheEnvironment) {
  ::setenv("PGHOST", "h", 1);
  ::setenv("PGPORT", "5433", 1);
  ::setenv("PGUSER", "u", 1);
  ::setenv("PGDATABASE", "d", 1);
  const auto target = parse_conninfo("sslmode=disable");
  ASSERT_TRUE(target.is_ok());
  EXPECT_EQ(target->host, "h");
  EXPECT_EQ(target->port, "5433");
  EXPECT_EQ(target->user, "u");
  EXPECT_EQ(target->database, "d");
}

TEST_F(Conninfo, LeavesOpenWhatAServiceFileMaySay) {
  const auto target = parse_conninfo("service=shop");
  ASSERT_TRUE(target.is_ok());
  EXPECT_EQ(target->service, "shop");
  EXPECT_EQ(target->port, "");
  EXPECT_EQ(target->database, "");
}

TEST_F(Conninfo, RefusesInLibpqsWordsWithoutSecrets) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"hots=h", "invalid connection option \"hots\""},
      {"hunter2", "missing \"=\" after \"********\" in connection info string"},
      {"password=a hunter2", "missing \"=\" after \"********\" in connection info string"},
      {"password='hunter2", "unterminated quoted string in connection info string"},
      {"postgres://u:%hunter2@h", "invalid percent-encoded token: \"********\""},
      {"postgres://u:hunter2@h?pasword=x", "invalid URI query parameter: \"pasword\""},
      {"postgres://u:hunt\"er2@[h", "end of string reached when looking for matching "},
  };
  for (const auto& [conn_str, message] : cases) {
    const auto status = parse_conninfo(conn_str).status();
    EXPECT_EQ(status.code(), StatusCode::kConfiguration) << conn_str;
    EXPECT_THAT(status.message(), HasSubstr(message)) << conn_str;
    EXPECT_THAT(status.message(), Not(HasSubstr("hunter2"))) << conn_str;
  }
}

TEST_F(Conninfo, RefusesWhatMayBeAPartOfAPasswordForAName) {
  for (const char* conn_str :
       {"postgres://u:p@hunter2@h/d", "postgres://u:hunter2@@h/d", "postgres://u:p/hunter2@h/d",
        "postgres://u:1/hunter2@h/d", "postgres://h/hunter2@d", "postgres://u:p@h,hunter2@i/d",
        "host=postgres://u:hunter2@h/d", "host=u:hunter2@h", "host=a,hunter2@h", "host=/run/pg@shop,u:hunter2@h",
        "host=u:hunter2@h,/run/pg@shop", "hostaddr=u:hunter2@h", "port=hunter2@h", "dbname=postgres://u:hunter2@h/d",
        "dbname='password=hunter2 user=u'", "dbname=mysql://u:hunter2@h/d"}) {
    const auto status = parse_conninfo(conn_str).status();
    EXPECT_EQ(status.code(), StatusCode::kConfiguration) << conn_str;
    EXPECT_THAT(status.message(), Not(HasSubstr("hunter2"))) << conn_str;
  }
}

TEST_F(Conninfo, SaysHowAPasswordIsWritten) {
  for (const char* conn_str : {"postgres://u:p@hunter2@h/d", "postgres://u:%hunter2@h/d", "postgres://u:p@[hunter2@h/d",
                               "postgres://u:p/?hunter2@h/d", "mysql://u:hunter2@h/d"}) {
    EXPECT_THAT(parse_conninfo(conn_str).status().message(), HasSubstr("write @ as %40")) << conn_str;
  }
  EXPECT_THAT(parse_conninfo("password=my hunter2").status().message(), HasSubstr("password='two words'"));
}

TEST_F(Conninfo, NamesTheVariableThatMayHoldAPassword) {
  ::setenv("PGHOST", "u:hunter2@h", 1);
  EXPECT_THAT(parse_conninfo("user=u").status().message(), HasSubstr("PGHOST"));
  EXPECT_TRUE(parse_conninfo("host=h").is_ok());
}

TEST_F(Conninfo, RefusesSettingsThatLibpqTakesForOne) {
  for (const char* conn_str :
       {"host=h;port=1;user=u;password=hunter2;dbname=d", "host=h,port=1,user=u,password=hunter2",
        "host=h&password=hunter2", "postgres://u@h;password=hunter2/db", "postgres://u@h/d;password=hunter2",
        "postgres://u@h/d&password=hunter2", "postgres://u@h/d#PASSWORD=hunter2", "dbname=d;pwd=hunter2",
        "host=h port=1;password=hunter2", "host=h user=u;password=hunter2"}) {
    const auto target = parse_conninfo(conn_str);
    EXPECT_EQ(target.status().code(), StatusCode::kConfiguration) << conn_str;
    EXPECT_THAT(target.status().message(), Not(HasSubstr("hunter2"))) << conn_str;
  }
}

TEST_F(Conninfo, TakesSignsWhereLibpqTakesThem) {
  for (const char* conn_str :
       {"postgres://u:a:b@h/d", "postgres://u:a?b@h/d", "postgres://u:a#b@h/d", "postgres://u:a%40b@h/d%40e",
        "postgres://u@h/d?application_name=me@home", "host=@abstract,@other", "host=h user=u@h password=a@b",
        "host=h dbname=me@home", "postgres://u:p@[::1]:5432,h/d", "host=/run/pg@shop", "host=h,/run/pg@shop,@a",
        "postgres://u:p@%2Frun%2Fpg%40shop/d"}) {
    const auto target = parse_conninfo(conn_str);
    EXPECT_TRUE(target.is_ok()) << conn_str << ": " << target.status().message();
  }
}

TEST(MaskedConninfo, HidesThePasswordOfAUri) {
  EXPECT_EQ(masked_conninfo("postgres://u:pw@h:5432/d"), "postgres://u:********@h:5432/d");
  EXPECT_EQ(masked_conninfo("postgresql://u@h/d"), "postgresql://u@h/d");
  EXPECT_EQ(masked_conninfo("postgres://h:5432,i:5433/d"), "postgres://h:5432,i:5433/d");
  EXPECT_EQ(masked_conninfo("postgres://[::1]:5432/d"), "postgres://[::1]:5432/d");
  EXPECT_EQ(masked_conninfo("postgres://h/d?user=u&password=pw&sslmode=require"),
            "postgres://h/d?user=u&password=********&sslmode=require");
  EXPECT_EQ(masked_conninfo("postgres://h/d?sslpassword=pw&p%61ssword=pw"),
            "postgres://h/d?sslpassword=********&p%61ssword=********");
  EXPECT_EQ(masked_conninfo("postgres://h/d?application_name=me@home"), "postgres://h/d?application_name=me@home");
}

TEST(MaskedConninfo, HidesPasswordsThatBreakTheUri) {
  for (const char* uri : {"postgres://u:hunter2@x@h/d", "postgres://u:hunter2/@h/d", "postgres://u:x/hunter2@h/d",
                          "postgres://u:x?hunter2@h/d", "postgres://u:x@hunter2?y@h/d", "postgres://u:x/?hunter2@h/d",
                          "postgres://h/d?password=x&hunter2", "postgres://h/d?pasword=hunter2",
                          "postgres://h/d?x hunter2", "postgres://u:x/?a=hunter2@h/d"}) {
    EXPECT_THAT(masked_conninfo(uri), Not(HasSubstr("hunter2"))) << uri;
  }
}

TEST(MaskedConninfo, HidesThePasswordAmongKeysAndValues) {
  EXPECT_EQ(masked_conninfo("host=h password=pw dbname=d"), "host=h password=******** dbname=d");
  EXPECT_EQ(masked_conninfo("password = 'p w\\' x' host=h"), "password = '********' host=h");
  EXPECT_EQ(masked_conninfo("sslpassword=p\\ w host='a b'"), "sslpassword=******** host='a b'");
  EXPECT_EQ(masked_conninfo("host=h"), "host=h");
  EXPECT_EQ(masked_conninfo(""), "");
}

TEST(MaskedConninfo, HidesPasswordsOfBrokenStrings) {
  for (const char* text :
       {"password='hunter2", "password=x hunter2", "password=x hunter2=y", "pasword=hunter2", "PASSWORD=hunter2",
        "hunter2", "mysql://u:hunter2@h/d?a=b", "password='x\\' hunter2", "password=\\ hunter2",
        "jdbc:postgresql://h/d?user=u&password=hunter2", "password =hunter2", "Password: hunter2"}) {
    EXPECT_THAT(masked_conninfo(text), Not(HasSubstr("hunter2"))) << text;
  }
}

TEST(LibpqVersion, HasTwoParts) { EXPECT_THAT(libpq_version(), testing::MatchesRegex("[0-9]+\\.[0-9]+")); }

}  // namespace
}  // namespace walcat
