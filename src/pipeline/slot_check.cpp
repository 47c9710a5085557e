#include "slot_check.h"

#include <exception>
#include <utility>

#include "room_thread.h"
#include "walcat/reader/forgotten_slots.h"

namespace walcat {

SlotCheck::SlotCheck(const DatabaseOptions& options, const WakeFd& news, log::Logger logger)
    : options_(options), news_(news), logger_(std::move(logger)) {}

SlotCheck::~SlotCheck() {
  stop_.request();
  if (thread_.joinable()) thread_.join();
}

void SlotCheck::begin(const std::string& system_identifier) {
  if (!options_.inactive_slot_check || options_.dump || std::exchange(is_begun_, true)) return;
  is_over_.store(false, std::memory_order_release);
  auto made = room_thread("slot check", [this, system_identifier] { look(system_identifier); });
  if (made.is_ok()) {
    thread_ = std::move(*made);
    return;
  }
  is_over_.store(true, std::memory_order_release);
  logger_.warning("inactive_slot_check is left out of this run: {}", made.status().message());
}

void SlotCheck::look(const std::string& system_identifier) {
  try {
    drop_forgotten_slots(options_, system_identifier, stop_, logger_);
  } catch (const std::exception& error) {
    logger_.error("inactive_slot_check: {}", status_of(error, "slot check").message());
  }
  is_over_.store(true, std::memory_order_release);
  news_.notify();
}

}  // namespace walcat
