#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <optional>

namespace walcat {

/// Counts the bytes that arrive over a connection, which libpq does not tell.
///
/// Over TCP the kernel counts them, those of TLS included, and also those that still wait in the socket. Of a Unix
/// socket the kernel counts nothing. There a call of libpq that reads counts as what has left the socket meanwhile, and
/// as kReadLeast bytes at least if there were as many: exact while libpq empties the socket, and less than the truth
/// where the server is faster. Threads: that of the connection.
class Inflow {
 public:
  /// Counts from now on, from 0.
  void begin(const PGconn* connection);
  /// Runs `read`, which calls libpq once, and returns its result.
  template <typename Read>
  auto count(const PGconn* connection, Read read) {
    const std::uint64_t before = waiting(connection);
    auto result = read();
    note_read(connection, before);
    return result;
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  // libpq makes room for so many bytes before it reads, and reads as many if the socket has them.
  static constexpr std::uint64_t kReadLeast = 8192;

  static std::uint64_t waiting(const PGconn* connection);
  static std::optional<std::uint64_t> received_over_tcp(const PGconn* connection);
  void note_read(const PGconn* connection, std::uint64_t waited);

  // Over TCP: what the kernel had counted at the beginning.
  std::uint64_t before_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace walcat
