#include "slot_check.h"

#include <exception>
#include <utility>

#include "walcat/reader/forgotten_slots.h"

namespace walcat {

SlotCheck::SlotCheck(const DatabaseOptions& options, const WakeFd& news, log::Logger logger)
    : options_(options), news_(news), logger_(std::move(logger)) {}

SlotCheck::~SlotCheck() {
  stop_.request();
  if (thread_.joinable()) thread_.join();
}

void SlotCheck::begin(const std::string& system_identifier) {
  if (!options_.inactive_slot_check || options_.dump || thread_.joinable()) return;
  is_over_.store(false, std::memory_order_release);
  thread_ = std::thread([this, system_identifier] { look(system_identifier); });
}

void SlotCheck::look(const std::string& system_identifier) {
  try {
    drop_forgotten_slots(options_, system_identifier, stop_, logger_);
  } catch (const std::exception& error) {
    logger_.error("inactive_slot_check: {}", error.what());
  }
  is_over_.store(true, std::memory_order_release);
  news_.notify();
}

}  // namespace walcat
