#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace walcat {

/// Messages of a server, as the protocol writes them.
namespace wire {

inline std::string u16(std::uint16_t value) { return {static_cast<char>(value >> 8), static_cast<char>(value & 0xFF)}; }
inline std::string u32(std::uint32_t value) {
  return u16(static_cast<std::uint16_t>(value >> 16)) + u16(static_cast<std::uint16_t>(value & 0xFFFF));
}
inline std::string message(char type, const std::string& body) {
  return type + u32(static_cast<std::uint32_t>(body.size() + 4)) + body;
}
inline std::string text(const std::string& value) { return value + '\0'; }

inline std::string row_description(const std::vector<std::string>& names) {
  std::string body = u16(static_cast<std::uint16_t>(names.size()));
  for (const std::string& name : names) body += text(name) + u32(0) + u16(0) + u32(25) + u16(0xFFFF) + u32(0) + u16(0);
  return message('T', body);
}
inline std::string data_row(const std::vector<std::optional<std::string>>& values) {
  std::string body = u16(static_cast<std::uint16_t>(values.size()));
  for (const auto& value : values) {
    body += value ? u32(static_cast<std::uint32_t>(value->size())) + *value : u32(0xFFFFFFFF);
  }
  return message('D', body);
}
inline std::string copy_both() { return message('W', '\0' + u16(0)); }
inline std::string copy_out() { return message('H', '\0' + u16(0)); }
inline std::string notice(const std::string& words) {
  return message('N', "S" + text("NOTICE") + "M" + text(words) + '\0');
}
inline std::string authentication(std::uint32_t method) { return message('R', u32(method)); }
inline std::string parameter(const std::string& name, const std::string& value) {
  return message('S', text(name) + text(value));
}
inline std::string notification(const std::string& channel, const std::string& payload) {
  return message('A', u32(1) + text(channel) + text(payload));
}
inline std::string complete() { return message('C', text("SELECT")); }
inline std::string ready() { return message('Z', "I"); }

/// A whole answer.
inline std::string rows(const std::vector<std::string>& names,
                        const std::vector<std::vector<std::optional<std::string>>>& values) {
  std::string bytes = row_description(names);
  for (const auto& row : values) bytes += data_row(row);
  return bytes + complete() + ready();
}

}  // namespace wire

/// A server that logs in one client and answers its statements by a script, true or not.
class ScriptedServer {
 public:
  struct Answer {
    std::string once;
    /// Then again and again, until the client has gone.
    std::string for_ever = {};
    /// A byte at a time, with pauses, and no statement is read meanwhile.
    bool drips = false;
  };

  /// How a client is welcomed, and where.
  struct Login {
    /// A login that never ends: these words again and again, until the client has gone, or kSaidMost is said.
    std::string once = {};
    std::string for_ever = {};
    /// The folder of a Unix socket; empty: a port of 127.0.0.1.
    std::string folder = {};
  };
  static constexpr std::size_t kSaidMost = std::size_t{256} << 20;

  explicit ScriptedServer(std::vector<Answer> answers, std::string version = "15.1")
      : answers_(std::move(answers)), version_(std::move(version)) {
    begin();
  }
  explicit ScriptedServer(Login login) : login_(std::move(login)) { begin(); }
  ~ScriptedServer() {
    over_ = true;
    thread_.join();
    ::close(listening_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string conn_str() const {
    const std::string host = login_.folder.empty() ? "127.0.0.1" : login_.folder;
    return "host=" + host + " port=" + std::to_string(port_) +
           " user=u password=secret dbname=d sslmode=disable gssencmode=disable";
  }
  /// Bytes that the system has taken, some of which the client may not have.
  std::size_t said() const { return said_; }

 private:
  void begin() {
    login_.folder.empty() ? listen_on_port() : listen_in_folder();
    thread_ = std::thread([this] { serve(); });
  }

  void listen_on_port() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    listen(reinterpret_cast<sockaddr*>(&address), size);
    ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }

  void listen_in_folder() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    port_ = 5432;
    (login_.folder + "/.s.PGSQL." + std::to_string(port_)).copy(&address.sun_path[0], sizeof address.sun_path - 1);
    listen(reinterpret_cast<sockaddr*>(&address), sizeof address);
  }

  void listen(const sockaddr* address, socklen_t size) {
    listening_ = ::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::bind(listening_, address, size) != 0 || ::listen(listening_, 1) != 0) std::abort();
  }

  void serve() {
    if (!wait(listening_, POLLIN)) return;
    client_ = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    const auto startup = read(4);
    if (startup && read(length_of(*startup) - 4)) {
      if (!login_.once.empty()) return welcome();
      say(wire::message('R', wire::u32(0)) + wire::message('S', wire::text("server_version") + wire::text(version_)) +
          wire::message('S', wire::text("server_encoding") + wire::text("UTF8")) + wire::ready());
      converse();
    }
    ::close(client_);
  }

  void welcome() {
    std::string words;
    while (words.size() < 4096) words += login_.for_ever;
    bool goes_on = say(login_.once);
    while (goes_on && said_ < kSaidMost) goes_on = say(words);
    ::close(client_);
  }

  void converse() {
    // Whether the session is the client's own, before what the script is about.
    if (!await_statement() || !say(wire::rows({"case"}, {{"t"}}))) return;
    for (const Answer& answer : answers_) {
      if (!answer.drips && !await_statement()) return;
      if (!say(answer.once)) return;
      while (!answer.for_ever.empty() && (answer.drips ? drip(answer.for_ever) : say(answer.for_ever))) {
      }
    }
    while (await_statement()) {
    }
  }

  // Up to Query or Sync, behind either of which the server is to speak.
  bool await_statement() {
    for (;;) {
      const auto header = read(5);
      if (!header || !read(length_of(header->substr(1)) - 4)) return false;
      if (header->front() == 'Q' || header->front() == 'S') return true;
    }
  }

  bool drip(const std::string& bytes) {
    for (const char byte : bytes) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (!say(std::string(1, byte))) return false;
    }
    return true;
  }

  static std::size_t length_of(const std::string& bytes) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return ntohl(value);
  }

  bool wait(int fd, short events) const {
    while (!over_) {
      pollfd polled{fd, events, 0};
      if (::poll(&polled, 1, 20) > 0) return true;
    }
    return false;
  }

  std::optional<std::string> read(std::size_t size) const {
    std::string bytes;
    while (bytes.size() < size) {
      if (!wait(client_, POLLIN)) return std::nullopt;
      std::array<char, 65536> taken;
      const auto got = ::recv(client_, taken.data(), std::min(taken.size(), size - bytes.size()), 0);
      if (got <= 0) return std::nullopt;
      bytes.append(taken.data(), static_cast<std::size_t>(got));
    }
    return bytes;
  }

  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!wait(client_, POLLOUT)) return false;
      const auto sent = ::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      said_ += static_cast<std::size_t>(sent);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  const std::vector<Answer> answers_;
  const std::string version_;
  const Login login_;
  std::atomic<std::size_t> said_{0};
  std::atomic<bool> over_{false};
  std::thread thread_;
  int listening_ = -1;
  int client_ = -1;
  int port_ = 0;
};

}  // namespace walcat
