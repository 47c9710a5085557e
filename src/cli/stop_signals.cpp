#include "walcat/cli/stop_signals.h"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>

#include "walcat/base/log.h"
#include "walcat/cli/exit_status.h"
#include "walcat/queue/wake_fd.h"

namespace walcat {

namespace {

// From the second signal on, or from when an orderly stop is overdue: for an orderly end, then for the last words.
// Together less than the second that is promised, for the system takes some time to end a process, too.
constexpr std::chrono::milliseconds kOrderly{750};
constexpr std::chrono::milliseconds kLastWords{100};

// Signals that stop, for an orderly stop and for one at once.
constexpr int kMostStops = 2;

using Clock = std::chrono::steady_clock;

void sleep_for(std::chrono::milliseconds time) { ::poll(nullptr, 0, static_cast<int>(time.count())); }

// Whether there is something to read of `fd` before `deadline`; without one it is waited for.
bool is_readable_by(int fd, std::optional<Clock::time_point> deadline) {
  for (;;) {
    const auto left = deadline ? std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now())
                               : std::chrono::milliseconds(-1);
    if (deadline && left.count() <= 0) return false;
    pollfd wanted{fd, POLLIN, 0};
    const auto most = std::min<std::int64_t>(left.count(), std::numeric_limits<int>::max());
    if (::poll(&wanted, 1, static_cast<int>(most)) > 0) return true;
  }
}

// _Exit and not _exit: the thread sanitizer stands in for the latter, and reports each thread that has not been joined.
[[noreturn]] void leave() { std::_Exit(static_cast<int>(ExitStatus::kNotYet)); }

// What the system does with who does not care. A container's first process is spared by that, so it leaves by itself.
[[noreturn]] void die_of(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::raise(signal);
  std::_Exit(128 + signal);
}

}  // namespace

struct StopSignals::Shared {
  Shared();
  ~Shared() { ::close(fd); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  void take_signals();
  void take_signal();
  void carry_out();
  std::optional<Clock::time_point> deadline() const;
  void stop(int stops);
  void say_what_hangs();

  int fd = -1;
  /// Signals that stop, and the last of them.
  std::atomic<int> stops{0};
  std::atomic<int> signal{0};
  /// How long an orderly stop may take, and until when the one that was asked for may; set before `stops` is.
  std::atomic<std::chrono::milliseconds> stop_time_most{};
  std::atomic<Clock::time_point> orderly_until{};
  std::atomic<bool> is_overdue{false};
  std::atomic<bool> report_asked{false};
  std::atomic<bool> was_attached{false};
  /// For who carries out.
  WakeFd asked;
  /// For the main thread: how many stops were carried out.
  std::atomic<int> stops_done{0};
  WakeFd news;

  std::mutex mutex;
  Pipeline* pipeline = nullptr;

  /// Main thread.
  int stops_told = 0;
};

StopSignals::Shared::Shared() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int one : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&signals, one);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  fd = ::signalfd(-1, &signals, SFD_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
}

// A stop that has not ended when its time is over becomes one at once, as if a second signal had come.
void StopSignals::Shared::take_signals() {
  while (stops.load() < kMostStops) {
    if (is_readable_by(fd, deadline())) {
      take_signal();
      continue;
    }
    is_overdue.store(true);
    stops.store(kMostStops);
    asked.notify();
  }
  sleep_for(kOrderly + kLastWords);
  leave();
}

void StopSignals::Shared::take_signal() {
  signalfd_siginfo info{};
  if (::read(fd, &info, sizeof info) != sizeof info) return;
  const int came = static_cast<int>(info.ssi_signo);
  if (came == SIGUSR1) {
    report_asked.store(true);
    news.notify();
    return;
  }
  if (!was_attached.load()) die_of(came);
  signal.store(came);
  if (stops.load() == 0) orderly_until.store(Clock::now() + stop_time_most.load());
  stops.fetch_add(1);
  asked.notify();
}

std::optional<Clock::time_point> StopSignals::Shared::deadline() const {
  return stops.load() == 0 ? std::nullopt : std::optional(orderly_until.load());
}

// Who waits for the process to end waits no longer than this; what it does in an orderly way is done by then.
void StopSignals::Shared::carry_out() {
  for (int done = 0; done < kMostStops;) {
    static_cast<void>(is_readable_by(asked.fd(), std::nullopt));
    asked.drain();
    while (done < stops.load()) {
      stop(++done);
      stops_done.store(done);
      news.notify();
    }
  }
  sleep_for(kOrderly);
  say_what_hangs();
  leave();
}

void StopSignals::Shared::stop(int stops_asked) {
  const std::lock_guard lock(mutex);
  if (pipeline == nullptr) return;
  stops_asked == 1 ? pipeline->stop() : pipeline->abort();
}

void StopSignals::Shared::say_what_hangs() {
  const std::lock_guard lock(mutex);
  if (pipeline == nullptr) return;
  for (const Hanging& one : pipeline->hanging()) {
    log::write_at_once(log::Level::kError, one.database, one.text);
  }
}

StopSignals::StopSignals() : shared_(std::make_shared<Shared>()) {
  const auto begin = [this](const char* name, void (Shared::*work)()) {
    std::thread([shared = shared_, name, work] {
      ::pthread_setname_np(::pthread_self(), name);
      (shared.get()->*work)();
    }).detach();
  };
  begin("signals", &Shared::take_signals);
  begin("stopper", &Shared::carry_out);
}

StopSignals::~StopSignals() { detach(); }

void StopSignals::attach(Pipeline& pipeline) {
  const std::lock_guard lock(shared_->mutex);
  shared_->pipeline = &pipeline;
  shared_->stop_time_most.store(pipeline.stop_time_most());
  shared_->was_attached.store(true);
}

void StopSignals::detach() {
  const std::lock_guard lock(shared_->mutex);
  shared_->pipeline = nullptr;
}

int StopSignals::news_fd() const { return shared_->news.fd(); }

std::optional<StopSignals::News> StopSignals::take_news() {
  shared_->news.drain();
  if (shared_->stops_told < shared_->stops_done.load()) {
    if (++shared_->stops_told == 1) return News::kStopping;
    return shared_->is_overdue.load() ? News::kStopOverdue : News::kStoppingAtOnce;
  }
  if (shared_->report_asked.exchange(false)) return News::kReportAsked;
  return std::nullopt;
}

const char* StopSignals::signal_name() const { return shared_->signal.load() == SIGINT ? "SIGINT" : "SIGTERM"; }

}  // namespace walcat
