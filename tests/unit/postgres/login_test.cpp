// Logins that a server draws out: what it sends meanwhile libpq keeps, so there is an end to it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "offsets/temporary_folder.h"
#include "postgres/scripted_server.h"
#include "walcat/postgres/connection.h"

namespace walcat {
namespace {

// What the sockets of both ends may hold, a limit of 1 MiB, and what libpq takes at once where a server is quick.
constexpr std::size_t kReadMost = std::size_t{128} << 20;
constexpr std::uint32_t kOk = 0;
constexpr std::uint32_t kCleartextPassword = 3;

struct Flood {
  std::string name;
  std::string once;
  std::string for_ever;
  // In words of its own.
  bool libpq_refuses = false;
  // libpq looks up from a message only where no more of it is there.
  bool is_one_message = false;
};

// The last one is a single message.
void PrintTo(const Flood& flood, std::ostream* to) { *to << flood.name; }

const Flood kFloods[] = {
    {"Notifications", wire::authentication(kOk), wire::notification("walcat", "x")},
    {"Parameters", wire::authentication(kOk), wire::parameter("p", std::string(200, 'x'))},
    {"Notices", wire::authentication(kOk), wire::notice("tick")},
    {"Passwords", wire::authentication(kCleartextPassword), wire::authentication(kCleartextPassword), true},
    {"OneNotification", wire::authentication(kOk) + "A" + wire::u32(512 << 20), std::string(4096, 'x'), false, true},
};

class LoginTest : public testing::TestWithParam<Flood> {
 protected:
  // Nothing is read by the server, which is gone when it has said enough.
  void expect_refused(const ScriptedServer& server) {
    StopRequest stop;
    const auto opened = Connection::open({.conn_str = server.conn_str(),
                                          .connect_timeout = std::chrono::seconds(60),
                                          .stop = &stop,
                                          .logger = log::Logger("test")});
    EXPECT_FALSE(opened.is_ok());
    const std::size_t most = GetParam().is_one_message ? 2 * ScriptedServer::kSaidMost : kReadMost;
    EXPECT_LE(server.said(), most) << opened.status().message();
    if (GetParam().libpq_refuses) return;
    EXPECT_EQ(opened.status().code(), StatusCode::kUnavailable) << opened.status().message();
    EXPECT_THAT(opened.status().message(),
                testing::HasSubstr("and the login is not done, which takes 1024 KiB at most"));
  }
};

TEST_P(LoginTest, EndsAFloodOverTcp) {
  const ScriptedServer server(ScriptedServer::Login{.once = GetParam().once, .for_ever = GetParam().for_ever});
  expect_refused(server);
}

TEST_P(LoginTest, EndsAFloodOverAUnixSocket) {
  const test::TemporaryFolder folder;
  const ScriptedServer server(
      ScriptedServer::Login{.once = GetParam().once, .for_ever = GetParam().for_ever, .folder = folder / ""});
  expect_refused(server);
}

INSTANTIATE_TEST_SUITE_P(Floods, LoginTest, testing::ValuesIn(kFloods),
                         [](const auto& flood) { return flood.param.name; });

}  // namespace
}  // namespace walcat
