#include "inflow.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>

namespace walcat {

void Inflow::begin(const PGconn* connection) {
  before_ = received_over_tcp(connection).value_or(0);
  bytes_ = 0;
}

void Inflow::note_read(const PGconn* connection, std::uint64_t waited) {
  if (const auto received = received_over_tcp(connection)) {
    // The next host of a connection string has another socket.
    if (*received < before_) before_ = 0;
    bytes_ = *received - before_;
    return;
  }
  const std::uint64_t waits = waiting(connection);
  bytes_ += std::max(std::min(waited, kReadLeast), waited > waits ? waited - waits : 0);
}

std::uint64_t Inflow::waiting(const PGconn* connection) {
  int bytes = 0;
  return ::ioctl(PQsocket(connection), FIONREAD, &bytes) == 0 ? static_cast<std::uint64_t>(bytes) : 0;
}

std::optional<std::uint64_t> Inflow::received_over_tcp(const PGconn* connection) {
  tcp_info counted{};
  socklen_t size = sizeof counted;
  if (::getsockopt(PQsocket(connection), IPPROTO_TCP, TCP_INFO, &counted, &size) != 0) return std::nullopt;
  // Kernels before 4.1 tell less.
  if (size < offsetof(tcp_info, tcpi_bytes_received) + sizeof counted.tcpi_bytes_received) return std::nullopt;
  return counted.tcpi_bytes_received;
}

}  // namespace walcat
