#include "incremental_tally.h"

#include <fmt/format.h>

#include <algorithm>

#include "walcat/base/shortened_list.h"

namespace walcat {

namespace {

constexpr std::chrono::seconds kLogInterval{10};
constexpr std::chrono::seconds kNewsInterval{1};

}  // namespace

void IncrementalTally::begin() {
  run_ = Run{};
  run_.began = Clock::now();
  run_.next_log = run_.began + kLogInterval;
  run_.next_news = run_.began + kNewsInterval;
}

void IncrementalTally::expect(const KeyedPart& part) {
  run_.expected = part.rows < 0 || run_.expected < 0 ? -1 : run_.expected + part.rows;
}

std::string IncrementalTally::expected_rows() const {
  return run_.expected < 0 ? "an unknown number of" : fmt::format("about {:.0f}", run_.expected);
}

// It was fit when the snapshot was accepted.
void IncrementalTally::pass_over(const Status& why) {
  constexpr std::size_t kLinesMost = 10;
  log::write(run_.gone.size() < kLinesMost ? log::Level::kWarning : log::Level::kDebug, logger_.database(),
             "incremental snapshot: " + why.message() + "; passing it over");
  run_.gone.push_back(why.message());
}

Status IncrementalTally::outcome() const {
  if (run_.gone.empty()) return Status::ok();
  return {StatusCode::kRefused, shortened_list(run_.gone, "; ") + "; the rest was read"};
}

void IncrementalTally::count(const SnapshotWindow::Verdict& verdict) {
  run_.printed += verdict.printed;
  run_.left_out += verdict.left_out;
  run_.read += verdict.printed + verdict.left_out;
}

IncrementalTally::Clock::time_point IncrementalTally::next_chunk(std::uint64_t rows_per_second) {
  const std::chrono::duration<double> worth(static_cast<double>(run_.read - run_.read_before) /
                                            static_cast<double>(rows_per_second));
  run_.read_before = run_.read;
  run_.next_chunk = std::max(run_.next_chunk, Clock::now()) + std::chrono::duration_cast<Clock::duration>(worth);
  return run_.next_chunk;
}

void IncrementalTally::report(const IncrementalSnapshot& snapshot) {
  const auto now = Clock::now();
  if (now < run_.next_news) return;
  run_.next_news = now + kNewsInterval;
  const std::string text = fmt::format("{}: {} of {} rows, {:.0f} rows/s", snapshot.part.to_string(), run_.read,
                                       expected_rows(), static_cast<double>(run_.read) / seconds());
  reader_.tell(snapshot.channel, {snapshot.id, "progress", text});
  log::show_status(logger_.database(), text);
  if (now < run_.next_log) return;
  run_.next_log = now + kLogInterval;
  logger_.info("incremental snapshot {}: {}", snapshot.id, text);
}

std::string IncrementalTally::sum() const {
  return fmt::format("{} rows in {:.1f} s; the stream brought {} others meanwhile", run_.printed, seconds(),
                     run_.left_out);
}

double IncrementalTally::seconds() const { return std::chrono::duration<double>(Clock::now() - run_.began).count(); }

}  // namespace walcat
