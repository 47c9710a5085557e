#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>

namespace walcat {

/// A port of 127.0.0.1 whose listener has no room for one more connection: the kernel drops each SYN, as a host does
/// that is gone.
class DeafPort {
 public:
  DeafPort() {
    const auto fail_unless = [](bool done) {
      if (!done) throw std::runtime_error("no deaf port");
    };
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    fail_unless(::bind(listener_, any, size) == 0 && ::listen(listener_, 0) == 0);
    fail_unless(::getsockname(listener_, any, &size) == 0);
    port_ = ::ntohs(address.sin_port);
    // The one that a backlog of 0 has room for.
    fail_unless(::connect(first_, any, size) == 0);
  }
  ~DeafPort() {
    ::close(first_);
    ::close(listener_);
  }
  DeafPort(const DeafPort&) = delete;
  DeafPort& operator=(const DeafPort&) = delete;

  std::string conn_str() const {
    return "host=127.0.0.1 sslmode=disable gssencmode=disable port=" + std::to_string(port_);
  }

  /// Until somebody is connecting.
  void wait_for_syn() const {
    while (!has_syn()) ::poll(nullptr, 0, 1);
  }

 private:
  // Each line: number, local address, remote address, state; 02 is SYN_SENT.
  bool has_syn() const {
    std::ifstream sockets("/proc/self/net/tcp");
    std::string line;
    std::getline(sockets, line);
    std::string number;
    std::string local;
    std::string remote;
    std::string state;
    while (sockets >> number >> local >> remote >> state && std::getline(sockets, line)) {
      const std::size_t colon = remote.find(':');
      if (state == "02" && std::stoul(remote.substr(colon + 1), nullptr, 16) == port_) return true;
    }
    return false;
  }

  int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int first_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t port_ = 0;
};

}  // namespace walcat
