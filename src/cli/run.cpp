#include "walcat/cli/run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "files_apart.h"
#include "walcat/base/claimed_files.h"
#include "walcat/base/log.h"

namespace walcat {

namespace {

class Attachment {
 public:
  Attachment(StopSignals& signals, Pipeline& pipeline) : signals_(signals) { signals_.attach(pipeline); }
  ~Attachment() { signals_.detach(); }
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

 private:
  StopSignals& signals_;
};

// A descriptor that was closed by our parent would be given to the next socket, and lines would end up there.
bool stdout_is_open() { return ::fcntl(STDOUT_FILENO, F_GETFD) != -1; }

void open_standard_descriptors() {
  for (int fd = ::open("/dev/null", O_RDWR); fd >= 0 && fd <= STDERR_FILENO; fd = ::open("/dev/null", O_RDWR)) {
    if (fd == STDERR_FILENO) return;
  }
}

void tell(StopSignals::News news, const StopSignals& signals, const Pipeline& pipeline) {
  if (news == StopSignals::News::kReportAsked) return pipeline.report();
  if (news == StopSignals::News::kStopOverdue) {
    const auto most = std::chrono::duration<double>(pipeline.stop_time_most());
    const std::string text = fmt::format(
        "{}: the stop has not ended within {:.0f} s (three times shutdown_timeout, and 10 s), stopping at once",
        signals.signal_name(), most.count());
    return log::write(log::Level::kError, "", text);
  }
  const bool is_second = news == StopSignals::News::kStoppingAtOnce;
  log::write(log::Level::kInfo, "",
             fmt::format("{}: {}", signals.signal_name(), is_second ? "stopping at once" : "stopping"));
}

// Waits until every database has ended. What signals ask for is done elsewhere, for a line of the log may have to wait
// here; here it is only told.
void attend(Pipeline& pipeline, StopSignals& signals) {
  std::array<pollfd, 3> fds{
      {{pipeline.done_fd(), POLLIN, 0}, {signals.news_fd(), POLLIN, 0}, {pipeline.output_fd(), 0, 0}}};
  for (;;) {
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    while (const auto news = signals.take_news()) tell(*news, signals, pipeline);
    if ((fds[0].revents & POLLIN) != 0) return;
    if ((fds[2].revents & (POLLERR | POLLHUP)) != 0) {
      pipeline.output_closed();
      fds[2].fd = -1;
    }
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

Status check_files(const Configuration& configuration) {
  ClaimedFiles files;
  claim_files(configuration, files);
  if (const auto& capture = configuration.pipeline.capture) files.claim(capture->path, "output.capture.path");
  return check_standard_files(configuration, files);
}

ExitStatus run_street(const Configuration& configuration, StopSignals& signals, std::unique_ptr<CapturePlayer> player,
                      std::optional<ReplayTally>& tally) {
  const bool is_replay = player != nullptr;
  const bool has_stdout = stdout_is_open();
  open_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  const auto complain = [](const Status& status) {
    log::write(log::Level::kError, "", status.message());
    return exit_status(status.code());
  };
  if (configuration.writer.path.empty() && !has_stdout) {
    return complain({StatusCode::kOutputFailed, "output stdout: closed before the start"});
  }
  if (const Status apart = check_files(configuration); !apart.is_ok()) return complain(apart);
  auto sink = open_sink(configuration.writer);
  if (!sink.is_ok()) return complain(sink.status());
  auto pipeline = Pipeline::create(configuration.pipeline, std::move(*sink), std::move(player));
  if (!pipeline.is_ok()) return complain(pipeline.status());
  const Attachment attachment(signals, **pipeline);
  if (const Status started = (*pipeline)->start(); !started.is_ok()) {
    complain(started);
    return ExitStatus::kShortage;
  }
  attend(**pipeline, signals);
  Outcome outcome = (*pipeline)->finish();
  tally = std::move(outcome.replay);
  const bool is_dump = configuration.pipeline.databases.front().dump.has_value();
  return conclude(outcome, is_replay || is_dump || configuration.pipeline.bounds.any() ||
                               configuration.pipeline.max_changes.has_value());
}

}  // namespace

ExitStatus run_pipeline(const Configuration& configuration, StopSignals& signals) {
  std::optional<ReplayTally> none;
  return run_street(configuration, signals, nullptr, none);
}

ExitStatus run_replay(const Configuration& configuration, StopSignals& signals, std::unique_ptr<CapturePlayer> player,
                      std::optional<ReplayTally>& tally) {
  return run_street(configuration, signals, std::move(player), tally);
}

}  // namespace walcat
