// What a server's error means, and the way out that is told: by the error's own words, whatever of them is masked.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "postgres/scripted_server.h"
#include "walcat/postgres/connection.h"

namespace walcat {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kLostSlot = "can no longer get changes from replication slot \"s\"";
constexpr const char* kNoWalsender = "permission denied to start WAL sender";
constexpr const char* kOnlyReplication = "Only roles with the REPLICATION attribute may start a WAL sender process.";

struct Said {
  std::string sqlstate;
  std::string primary;
  std::string detail = {};
};

std::string error(const std::string& severity, const Said& said) {
  std::string body = "S" + wire::text(severity) + "V" + wire::text(severity) + "C" + wire::text(said.sqlstate) + "M" +
                     wire::text(said.primary);
  if (!said.detail.empty()) body += "D" + wire::text(said.detail);
  return wire::message('E', body + '\0');
}

Result<std::unique_ptr<Connection>> connect(const ScriptedServer& server, const std::string& password) {
  return Connection::open({.conn_str = server.conn_str() + " password=" + password, .logger = log::Logger("test")});
}

// What a statement ends in that is answered so.
Status answered(const Said& said, const std::string& password = "hunter2") {
  const ScriptedServer server(std::vector<ScriptedServer::Answer>{{error("ERROR", said) + wire::ready()}});
  const auto opened = connect(server, password);
  return opened.is_ok() ? (*opened)->execute("SELECT 1") : opened.status();
}

// What a login ends in that is answered so.
Status refused(const Said& said, const std::string& password = "hunter2") {
  const ScriptedServer server(ScriptedServer::Login{.once = error("FATAL", said), .for_ever = wire::notice("x")});
  return connect(server, password).status();
}

TEST(Errors, TellAGapWhateverWordIsThePassword) {
  for (const char* password : {"hunter2", "slot", "replication", "longer"}) {
    EXPECT_EQ(answered({"55000", kLostSlot}, password).code(), StatusCode::kGap) << password;
  }
  EXPECT_EQ(answered({"58P01", "requested WAL segment 0 has already been removed"}, "removed").code(),
            StatusCode::kGap);
}

TEST(Errors, HintWhateverWordIsThePassword) {
  for (const char* password : {"hunter2", "REPLICATION", "attribute"}) {
    const Said said{"42501", kNoWalsender, kOnlyReplication};
    EXPECT_THAT(answered(said, password).message(), HasSubstr("hint: ALTER ROLE \"u\" REPLICATION")) << password;
    EXPECT_THAT(refused(said, password).message(), HasSubstr("hint: ALTER ROLE \"u\" REPLICATION")) << password;
  }
}

TEST(Errors, ShowNoPasswordThatDecides) {
  EXPECT_THAT(answered({"55000", kLostSlot}, "slot").message(), AllOf(HasSubstr("********"), Not(HasSubstr("slot"))));
  const Said said{"42501", kNoWalsender, kOnlyReplication};
  EXPECT_THAT(refused(said, "attribute").message(), AllOf(HasSubstr("********"), Not(HasSubstr("attribute"))));
}

TEST(Errors, HintAtTheRightThatIsMissing) {
  EXPECT_THAT(
      refused({"42501", "permission denied for database \"d\"", "User does not have CONNECT privilege."}).message(),
      HasSubstr("hint: GRANT CONNECT ON DATABASE \"d\" TO \"u\""));
  EXPECT_THAT(answered({"42501", "permission denied for database d"}).message(),
              HasSubstr("hint: GRANT CREATE ON DATABASE \"d\" TO \"u\""));
  EXPECT_THAT(answered({"42501", "permission denied for table t"}).message(), HasSubstr("hint: GRANT SELECT ON"));
  EXPECT_THAT(answered({"42501", "permission denied for function pg_logical_emit_message"}).message(),
              HasSubstr("hint: GRANT EXECUTE ON FUNCTION"));
}

TEST(Errors, TakeNoNameOfAnObjectForARight) {
  EXPECT_THAT(answered({"42501", "permission denied for table replication_log"}).message(),
              HasSubstr("hint: GRANT SELECT ON"));
  EXPECT_THAT(answered({"42501", "permission denied for database replication"}).message(),
              HasSubstr("hint: GRANT CREATE ON DATABASE"));
}

}  // namespace
}  // namespace walcat
