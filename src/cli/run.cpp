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

namespace walcat {

namespace {

// Signals as a descriptor: those that stop, and the one that asks for a report. Blocked before any thread starts, so no
// thread is ever interrupted by one.
class Signals {
 public:
  Signals() {
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    fd_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Signals() { ::close(fd_); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int fd() const { return fd_; }
  /// A signal that came; 0 if none did.
  int take() const {
    signalfd_siginfo info{};
    return ::read(fd_, &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
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
void attend(Pipeline& pipeline, const Signals& signals) {
  bool stopping = false;
  std::array<pollfd, 3> fds{{{pipeline.done_fd(), POLLIN, 0}, {signals.fd(), POLLIN, 0}, {pipeline.output_fd(), 0, 0}}};
  for (;;) {
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    if ((fds[0].revents & POLLIN) != 0) return;
    if ((fds[2].revents & (POLLERR | POLLHUP)) != 0) {
      pipeline.output_closed();
      fds[2].fd = -1;
    }
    const int signal = (fds[1].revents & POLLIN) != 0 ? signals.take() : 0;
    if (signal == SIGUSR1) pipeline.report();
    if (signal != SIGINT && signal != SIGTERM) continue;
    log::write(
        log::Level::kInfo, "",
        fmt::format("{}: {}", signal == SIGINT ? "SIGINT" : "SIGTERM", stopping ? "stopping at once" : "stopping"));
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

ExitStatus run_street(const Configuration& configuration, std::unique_ptr<CapturePlayer> player,
                      std::optional<ReplayTally>& tally) {
  const bool is_replay = player != nullptr;
  const bool has_stdout = stdout_is_open();
  open_standard_descriptors();
  const Signals signals;
  const auto complain = [](const Status& status) {
    log::write(log::Level::kError, "", status.message());
    return exit_status(status.code());
  };
  if (configuration.writer.path.empty() && !has_stdout) {
    return complain({StatusCode::kOutputFailed, "output stdout: closed before the start"});
  }
  auto sink = open_sink(configuration.writer);
  if (!sink.is_ok()) return complain(sink.status());
  auto pipeline = Pipeline::create(configuration.pipeline, std::move(*sink), std::move(player));
  if (!pipeline.is_ok()) return complain(pipeline.status());
  (*pipeline)->start();
  attend(**pipeline, signals);
  Outcome outcome = (*pipeline)->finish();
  tally = std::move(outcome.replay);
  const bool is_dump = configuration.pipeline.databases.front().dump.has_value();
  return conclude(outcome, is_replay || is_dump || configuration.pipeline.bounds.any() ||
                               configuration.pipeline.max_changes.has_value());
}

}  // namespace

ExitStatus run_pipeline(const Configuration& configuration) {
  std::optional<ReplayTally> none;
  return run_street(configuration, nullptr, none);
}

ExitStatus run_replay(const Configuration& configuration, std::unique_ptr<CapturePlayer> player,
                      std::optional<ReplayTally>& tally) {
  return run_street(configuration, std::move(player), tally);
}

}  // namespace walcat
