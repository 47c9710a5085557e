// Waits for a server that does not play by the protocol: each ends by itself, or when a stop is requested.

#include "walcat/postgres/connection.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <poll.h>

#include <thread>

#include "postgres/deaf_port.h"
#include "postgres/scripted_server.h"

namespace walcat {
namespace {

using Script = std::vector<ScriptedServer::Answer>;

// An ErrorResponse whose last field does not end.
const std::string kCutError = wire::message('E', "SFATAL");

class ConnectionTest : public testing::Test {
 protected:
  std::unique_ptr<Connection> connect(Script script, bool replication = true) {
    server_.emplace(std::move(script));
    auto opened = Connection::open({.conn_str = server_->conn_str(),
                                    .connect_timeout = std::chrono::seconds(1),
                                    .replication = replication,
                                    .stop = &stop_,
                                    .logger = log::Logger("test")});
    EXPECT_TRUE(opened.is_ok()) << opened.status().message();
    return opened.is_ok() ? std::move(*opened) : nullptr;
  }

  // Reads frames until something else comes.
  static Status end_of_stream(Connection& connection) {
    for (;;) {
      const auto frame = connection.next_frame();
      if (!frame.is_ok()) return frame.status();
      if (*frame) continue;
      connection.wait(std::chrono::seconds(1));
      if (Status arrived = connection.consume_input(); !arrived.is_ok()) return arrived;
    }
  }

  // Whether nobody has heard the last wake yet.
  bool is_awake() const {
    pollfd wake{stop_.wake().fd(), POLLIN, 0};
    return ::poll(&wake, 1, 0) > 0;
  }

  std::optional<ScriptedServer> server_;
  StopRequest stop_;
};

// Woken again and again, as readers are by their keepers.
TEST_F(ConnectionTest, GivesUpAHostThatAnswersNoSyn) {
  const DeafPort deaf;
  std::jthread waker([&](const std::stop_token& enough) {
    for (; !enough.stop_requested(); std::this_thread::yield()) stop_.wake().notify();
  });
  const auto opened = Connection::open({.conn_str = deaf.conn_str(),
                                        .connect_timeout = std::chrono::milliseconds(100),
                                        .stop = &stop_,
                                        .logger = log::Logger("test")});
  EXPECT_EQ(opened.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(opened.status().message(), "no connection within 100 ms");
}

// Behind wakes that were for something else: each is a chance to take the socket for connected.
TEST_F(ConnectionTest, StopsConnectingToAHostThatAnswersNoSyn) {
  const DeafPort deaf;
  std::jthread stopper([&](const std::stop_token& enough) {
    deaf.wait_for_syn();
    for (int wakes = 0; wakes < 3; ++wakes) {
      stop_.wake().notify();
      while (is_awake() && !enough.stop_requested()) std::this_thread::yield();
    }
    stop_.request();
  });
  const auto opened = Connection::open({.conn_str = deaf.conn_str(), .stop = &stop_, .logger = log::Logger("test")});
  EXPECT_EQ(opened.status().code(), StatusCode::kStopped);
}

TEST_F(ConnectionTest, GivesUpAServerThatSaysNothing) {
  const auto connection = connect({{""}});
  const Status asked = connection->execute("SELECT 1");
  EXPECT_EQ(asked.code(), StatusCode::kUnavailable);
  EXPECT_EQ(asked.message(), "SELECT: no answer within 2 s");
}

TEST_F(ConnectionTest, GivesUpAnAnswerThatComesByteByByteWithoutEnd) {
  const auto connection = connect({{wire::row_description({"a"})}, {"D" + wire::u32(1'000'000), "x", true}});
  const Status asked = connection->execute("SELECT 1");
  EXPECT_EQ(asked.code(), StatusCode::kUnavailable);
  EXPECT_EQ(asked.message(), "SELECT: no whole answer within 10 s");
}

TEST_F(ConnectionTest, StopsSendingToAServerThatReadsNothing) {
  const auto connection = connect({{"", wire::notice("tick"), true}});
  stop_.request();
  const Status asked = connection->execute("SELECT '" + std::string(std::size_t{64} << 20, 'x') + "'");
  EXPECT_EQ(asked.code(), StatusCode::kStopped);
}

TEST_F(ConnectionTest, GivesUpAStreamThatEndsInARowAndSilence) {
  const auto connection = connect({{wire::copy_both() + wire::data_row({"1"})}});
  ASSERT_TRUE(connection->start_replication("START_REPLICATION").is_ok());
  const Status ended = end_of_stream(*connection);
  EXPECT_EQ(ended.code(), StatusCode::kUnavailable);
  EXPECT_EQ(ended.message(), "the server ended the stream and does not say why: no answer within 2 s");
}

TEST_F(ConnectionTest, GivesUpAStreamThatEndsInHalfAnErrorAndSilence) {
  const auto connection = connect({{wire::copy_both() + kCutError}});
  ASSERT_TRUE(connection->start_replication("START_REPLICATION").is_ok());
  EXPECT_EQ(end_of_stream(*connection).code(), StatusCode::kUnavailable);
}

TEST_F(ConnectionTest, StopsWaitingForTheReasonOfAnEnd) {
  const auto connection = connect({{wire::copy_both() + wire::data_row({"1"})}});
  ASSERT_TRUE(connection->start_replication("START_REPLICATION").is_ok());
  stop_.request();
  EXPECT_EQ(end_of_stream(*connection).code(), StatusCode::kStopped);
}

// libpq keeps those that nobody takes.
TEST_F(ConnectionTest, LeavesAStreamOfNotificationsWithoutKeepingThem) {
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += wire::notification("walcat", "x");
  const auto connection = connect({{wire::copy_both(), flood}});
  ASSERT_TRUE(connection->start_replication("START_REPLICATION").is_ok());
  const std::size_t before = ::mallinfo2().uordblks;
  connection->end_replication(std::chrono::seconds(1));
  EXPECT_LT(::mallinfo2().uordblks, before + (std::size_t{4} << 20));
}

TEST_F(ConnectionTest, MasksItsPasswordInWhatAServerSays) {
  const std::string error = wire::message('E', "SERROR" + std::string(1, '\0') + wire::text("C42601") +
                                                   wire::text("Mno hunter2: " + std::string(1'983, 'x') + "hunter2") +
                                                   wire::text("Dhunter2hunter2") + wire::text("Hnot 'hunter2'") + '\0');
  server_.emplace(Script{{error + wire::ready()}});
  const auto opened = Connection::open({.conn_str = server_->conn_str() + " password=hunter2",
                                        .replication = true,
                                        .stop = &stop_,
                                        .logger = log::Logger("test")});
  ASSERT_TRUE(opened.is_ok()) << opened.status().message();
  const std::string told = (*opened)->execute("SELECT 1").message();
  EXPECT_EQ(told.find("hunt"), std::string::npos) << told;
  EXPECT_NE(told.find("no ********: xx"), std::string::npos) << told;
  EXPECT_NE(told.find(": **************** (not '********')"), std::string::npos) << told;
}

TEST_F(ConnectionTest, TakesNoCopyForAnAnswer) {
  const auto connection = connect({{wire::copy_out() + wire::ready()}});
  const Status asked = connection->execute("SELECT 1");
  EXPECT_EQ(asked.code(), StatusCode::kProtocolError);
  EXPECT_EQ(asked.message(), "the server began a COPY that was not asked for");
}

TEST_F(ConnectionTest, TakesNoRowsForAStream) {
  const auto connection = connect({{wire::rows({"a"}, {{"1"}})}});
  EXPECT_EQ(connection->start_replication("START_REPLICATION").code(), StatusCode::kProtocolError);
}

TEST_F(ConnectionTest, GivesUpACopyThatEndsInSilence) {
  const auto connection = connect({{wire::copy_out() + wire::message('d', "1\n") + wire::data_row({"1"})}});
  ASSERT_TRUE(connection->start_copy("COPY t TO STDOUT").is_ok());
  std::array<char, 64> row;
  EXPECT_EQ(connection->read_row(row.data(), row.size())->bytes, 2U);
  EXPECT_EQ(connection->read_row(row.data(), row.size()).status().code(), StatusCode::kUnavailable);
}

}  // namespace
}  // namespace walcat
