#include "follower_watch.h"

#include <fmt/format.h>

#include <utility>

#include "walcat/postgres/slot.h"

namespace walcat {

namespace {

// A walcat that is started anew, or that tries again behind its circuit breaker, is back within.
constexpr std::chrono::seconds kPatience{60};

constexpr const char* kLeft = "what was accepted goes on without this command, as soon as a walcat follows the slot";

}  // namespace

FollowerWatch::FollowerWatch(Connection& connection, std::string slot, std::optional<std::chrono::seconds> timeout,
                             const log::Logger& logger)
    : connection_(connection), slot_(std::move(slot)), timeout_(timeout), logger_(logger) {}

Result<bool> FollowerWatch::look() {
  const auto slot = find_slot(connection_, slot_);
  if (!slot.is_ok()) return slot.status();
  const auto now = Clock::now();
  const int reader = *slot ? (*slot)->active_pid : 0;
  if (reader == 0) {
    if (Status patient = miss(now); !patient.is_ok()) return patient;
  } else if (std::exchange(missed_since_, std::nullopt)) {
    logger_.info("a walcat follows slot {} again", slot_);
  }
  if (timeout_ && now - began_ >= *timeout_) {
    return Status(StatusCode::kWaiting, fmt::format("no end within {} s (--timeout){}; {}", timeout_->count(),
                                                    reader == 0 ? ", and no walcat follows slot " + slot_ : "", kLeft));
  }
  if (reader == 0) return false;
  const int before = std::exchange(reader_, reader);
  return before != 0 && before != reader;
}

// A slot may be dropped and made anew on the way.
Status FollowerWatch::miss(Clock::time_point now) {
  if (!missed_since_) {
    missed_since_ = now;
    logger_.warning("no walcat follows slot {} any more; waiting {} s for one to come back", slot_, kPatience.count());
  }
  if (now - *missed_since_ < kPatience) return Status::ok();
  return {StatusCode::kWaiting, fmt::format("no walcat has followed slot {} for {} s; {}; hint: start walcat", slot_,
                                            kPatience.count(), kLeft)};
}

}  // namespace walcat
