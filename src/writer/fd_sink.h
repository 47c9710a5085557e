#pragma once

#include <atomic>
#include <chrono>
#include <string>

#include "pipe_room.h"
#include "walcat/queue/wake_fd.h"
#include "walcat/writer/sink.h"

namespace walcat {

/// A file descriptor as a sink: pipe, terminal, device or socket. Regular files have one of their own, FileSink.
///
/// Waits in poll(2), never inside write(2), so that a stop gets through while the reader at the other end sleeps.
class FdSink : public Sink {
 public:
  /// kShared: a stream whose descriptor blocks, and has to, for others use it too.
  enum class Kind { kStream, kShared, kSocket };

  /// Takes `fd` over and closes it at the end if `owned`. `name` stands for it in errors.
  FdSink(int fd, bool owned, Kind kind, std::string name);
  ~FdSink() override;
  FdSink(const FdSink&) = delete;
  FdSink& operator=(const FdSink&) = delete;

  Status write(std::span<const iovec> parts, std::size_t& accepted) override;
  Status sync() override { return Status::ok(); }
  void interrupt() override;
  int watch_fd() const override { return fd_; }

 private:
  ssize_t write_some(const iovec* parts, int count) const;
  Status wait_writable(bool& is_writable);

  int fd_;
  bool owned_;
  Kind kind_;
  std::string name_;
  PipeRoom room_;
  WakeFd wake_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace walcat
