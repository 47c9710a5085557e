#include "walcat/cli/run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "walcat/base/log.h"
#include "walcat/pipeline/pipeline.h"

namespace walcat {

namespace {

// Stop signals as a descriptor. Blocked before any thread starts, so no thread is ever interrupted by one.
class StopSignals {
 public:
  StopSignals() {
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stops, nullptr);
    fd_ = ::signalfd(-1, &stops, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~StopSignals() { ::close(fd_); }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  int fd() const { return fd_; }
  /// The name of a signal that came; null if none did.
  const char* take() const {
    signalfd_siginfo info{};
    if (::read(fd_, &info, sizeof info) != sizeof info) return nullptr;
    return info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM";
  }

 private:
  int fd_ = -1;
};

// A descriptor that was closed by our parent would be given to the next socket, and lines would end up there.
bool stdout_is_open() { return ::fcntl(STDOUT_FILENO, F_GETFD) != -1; }

void open_standard_descriptors() {
  for (int fd = ::open("/dev/null", O_RDWR); fd >= 0 && fd <= STDERR_FILENO; fd = ::open("/dev/null", O_RDWR)) {
    if (fd == STDERR_FILENO) return;
  }
}

// Waits until every database has ended; the first signal asks for that, the second insists.
void attend(Pipeline& pipeline, const StopSignals& signals) {
  bool stopping = false;
  std::array<pollfd, 3> fds{{{pipeline.done_fd(), POLLIN, 0}, {signals.fd(), POLLIN, 0}, {pipeline.output_fd(), 0, 0}}};
  for (;;) {
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    if ((fds[0].revents & POLLIN) != 0) return;
    if ((fds[2].revents & (POLLERR | POLLHUP)) != 0) {
      pipeline.output_closed();
      fds[2].fd = -1;
    }
    const char* signal = (fds[1].revents & POLLIN) != 0 ? signals.take() : nullptr;
    if (signal == nullptr) continue;
    log::write(log::Level::kInfo, "", fmt::format("{}: {}", signal, stopping ? "stopping at once" : "stopping"));
    stopping ? pipeline.abort() : pipeline.stop();
    stopping = true;
  }
}

ExitStatus conclude(const Outcome& outcome, bool bounded) {
  if (!outcome.output.is_ok()) {
    log::write(log::Level::kError, "", outcome.output.message());
    return ExitStatus::kOutputFailed;
  }
  if (!outcome.offsets.is_ok()) {
    log::write(log::Level::kError, "", fmt::format("the next run repeats lines: {}", outcome.offsets.message()));
    return ExitStatus::kOutputFailed;
  }
  const auto failed = [](const Outcome::Database& database) { return !database.status.is_ok(); };
  const auto& databases = outcome.databases;
  const bool gave_up = bounded ? std::any_of(databases.begin(), databases.end(), failed)
                               : std::all_of(databases.begin(), databases.end(), failed);
  if (!gave_up) return ExitStatus::kDone;
  const bool our_bug = std::any_of(databases.begin(), databases.end(), [](const Outcome::Database& database) {
    return database.status.code() == StatusCode::kInternal;
  });
  return our_bug ? ExitStatus::kInternal : ExitStatus::kUnavailable;
}

}  // namespace

ExitStatus run_pipeline(const Configuration& configuration) {
  const bool has_stdout = stdout_is_open();
  open_standard_descriptors();
  const StopSignals signals;
  const auto complain = [](const Status& status) {
    log::write(log::Level::kError, "", status.message());
    return exit_status(status.code());
  };
  if (configuration.writer.path.empty() && !has_stdout) {
    return complain({StatusCode::kOutputFailed, "output stdout: closed before the start"});
  }
  auto sink = open_sink(configuration.writer);
  if (!sink.is_ok()) return complain(sink.status());
  auto pipeline = Pipeline::create(configuration.pipeline, std::move(*sink));
  if (!pipeline.is_ok()) return complain(pipeline.status());
  (*pipeline)->start();
  attend(**pipeline, signals);
  const Outcome outcome = (*pipeline)->finish();
  const bool is_dump = configuration.pipeline.databases.front().dump.has_value();
  return conclude(outcome,
                  is_dump || configuration.pipeline.bounds.any() || configuration.pipeline.max_changes.has_value());
}

}  // namespace walcat
