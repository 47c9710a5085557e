// What a connection string leaves open on the network; libpq reads environment and service files.

#include "walcat/postgres/network_risk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace walcat {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class NetworkRiskTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : kNames) ::unsetenv(name);
  }
  void TearDown() override { SetUp(); }

  // Empty: no risk.
  static std::string told(const std::string& conn_str) {
    const auto risk = network_risk(conn_str);
    return risk ? (risk->is_chosen ? "info: " : "warning: ") + risk->text : "";
  }

 private:
  static constexpr std::array<const char*, 8> kNames{"PGHOST",       "PGHOSTADDR",    "PGSSLMODE",
                                                     "PGSERVICE",    "PGSERVICEFILE", "PGCHANNELBINDING",
                                                     "PGGSSENCMODE", "PGSYSCONFDIR"};
};

TEST_F(NetworkRiskTest, IsWarnedOfWhereNobodyChose) {
  for (const char* conn_str : {"host=db.example", "postgres://me:pw@db.example:6432/shop", "host=db.example port=1,",
                               "host=db.example sslmode=prefer", "hostaddr=192.0.2.7 host=db.example"}) {
    EXPECT_THAT(told(conn_str), StartsWith("warning: host db.example: sslmode=prefer: ")) << conn_str;
  }
  EXPECT_THAT(told("hostaddr=192.0.2.7"), StartsWith("warning: host 192.0.2.7: "));
  EXPECT_THAT(told("host=db.example"), HasSubstr("sslmode=verify-full"));
}

TEST_F(NetworkRiskTest, IsNoneOnThisMachine) {
  for (const char* conn_str :
       {"", "dbname=a", "host=/run/postgresql", "host=@abstract", "host=localhost", "host=LocalHost", "host=127.0.0.1",
        "host=127.3.2.1", "host=::1", "host=::ffff:127.0.0.1", "hostaddr=127.0.0.1 host=db.example",
        "host=/run,localhost,::1", "postgres:///shop", "postgres://%2Frun/shop", "postgres://[::1]/shop"}) {
    EXPECT_EQ(told(conn_str), "") << conn_str;
  }
}

TEST_F(NetworkRiskTest, NamesEachHostOfSeveral) {
  EXPECT_THAT(told("host=a.example,localhost,b.example port=1,2,3"),
              StartsWith("warning: host a.example, b.example: "));
  EXPECT_THAT(told("postgres://a.example,b.example/d?target_session_attrs=read-write"),
              StartsWith("warning: host a.example, b.example: "));
  EXPECT_THAT(told("host=localhost hostaddr=192.0.2.1"), StartsWith("warning: host localhost: "));
}

TEST_F(NetworkRiskTest, IsNoneWhereTheServerIsKnown) {
  for (const char* safe : {"sslmode=verify-full", "channel_binding=require", "gssencmode=require"}) {
    EXPECT_EQ(told(std::string("host=db.example ") + safe), "") << safe;
  }
}

TEST_F(NetworkRiskTest, IsNoWarningWhereItWasChosen) {
  for (const char* mode : {"disable", "allow", "require", "verify-ca"}) {
    const std::string text = told(std::string("host=db.example sslmode=") + mode);
    EXPECT_THAT(text, StartsWith(std::string("info: host db.example: sslmode=") + mode));
    EXPECT_THAT(text, Not(HasSubstr("hint")));
  }
}

TEST_F(NetworkRiskTest, IsThatOfTheEnvironmentToo) {
  ::setenv("PGSSLMODE", "verify-full", 1);
  EXPECT_EQ(told("host=db.example"), "");
  EXPECT_THAT(told("host=db.example sslmode=disable"), StartsWith("info: "));
  ::setenv("PGSSLMODE", "require", 1);
  EXPECT_THAT(told("host=db.example"), StartsWith("info: "));
  ::unsetenv("PGSSLMODE");
  ::setenv("PGHOST", "db.example", 1);
  EXPECT_THAT(told("dbname=a"), StartsWith("warning: host db.example: "));
}

TEST_F(NetworkRiskTest, IsThatOfServiceFilesToo) {
  const auto path = std::filesystem::temp_directory_path() / ("walcat-service-" + std::to_string(::getpid()));
  std::ofstream(path) << "[far]\nhost=db.example\nport=6432\n[safe]\nhost=db.example\nsslmode=verify-full\n";
  ::setenv("PGSERVICEFILE", path.c_str(), 1);
  EXPECT_THAT(told("service=far"), StartsWith("warning: host db.example: "));
  EXPECT_EQ(told("service=safe"), "");
  EXPECT_THAT(told("service=safe sslmode=disable"), StartsWith("info: "));
  std::filesystem::remove(path);
}

TEST_F(NetworkRiskTest, IsNotJudgedWhereLibpqRefuses) {
  EXPECT_EQ(told("host"), "");
  EXPECT_EQ(told("host=db.example sslmode=maybe"), "");
  EXPECT_EQ(told("service=nowhere"), "");
}

}  // namespace
}  // namespace walcat
