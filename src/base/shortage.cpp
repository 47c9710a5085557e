#include "walcat/base/shortage.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <new>
#include <optional>
#include <vector>

namespace walcat {

namespace {

// The first word of a file of the system; nothing if there is none, or it says that there is no limit.
std::optional<std::string> word_of(const std::string& path) {
  std::string word;
  std::ifstream file(path);
  if (!(file >> word) || word == "max") return std::nullopt;
  return word;
}

// The groups of the process in what the kernel calls version 2, from its own upwards: each may limit it.
std::vector<std::string> groups() {
  std::vector<std::string> found;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("0::/", 0) != 0) continue;
    for (std::filesystem::path path = line.substr(3); path.has_relative_path(); path = path.parent_path()) {
      found.push_back("/sys/fs/cgroup" + path.string());
    }
  }
  // Where a container sees its own group as the root.
  found.emplace_back("/sys/fs/cgroup");
  return found;
}

std::string limit_of_group(const char* name, const char* in_use) {
  for (const std::string& group : groups()) {
    const auto limit = word_of(group + "/" + name);
    if (!limit) continue;
    return fmt::format(", cgroup {} {} ({} in use)", name, *limit,
                       word_of(group + "/" + in_use).value_or("an unknown number"));
  }
  return "";
}

std::string limit_of_process(int resource, const char* option) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return fmt::format("ulimit {} unlimited", option);
  }
  // The shell counts memory in KiB.
  return fmt::format("ulimit {} {}", option, resource == RLIMIT_AS ? limit.rlim_cur / 1024 : limit.rlim_cur);
}

Status out_of_memory(std::string_view who) {
  const std::string limits = limit_of_process(RLIMIT_AS, "-v") + limit_of_group("memory.max", "memory.current");
  return Status(
             StatusCode::kRefused,
             fmt::format("out of memory in the {} ({}); hint: a row, and what is printed of it, is held whole: raise "
                         "the limit, lower pipeline.memory_limit, or leave the table or its large columns out",
                         who, limits))
      .with_kind(FaultKind::kDecode);
}

}  // namespace

// Misused mutexes and broken streams are told in the same way.
bool is_shortage(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  const auto* const refusal = dynamic_cast<const std::system_error*>(&error);
  if (refusal == nullptr) return false;
  constexpr std::array kShortages{std::errc::not_enough_memory, std::errc::resource_unavailable_try_again,
                                  std::errc::too_many_files_open, std::errc::too_many_files_open_in_system,
                                  std::errc::no_space_on_device};
  return std::find(kShortages.begin(), kShortages.end(), refusal->code()) != kShortages.end();
}

Status status_of(const std::exception& error, std::string_view who) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return out_of_memory(who);
  if (is_shortage(error)) {
    return {StatusCode::kUnavailable, fmt::format("the system refuses the {}: {}", who, error.what())};
  }
  return {StatusCode::kInternal, error.what()};
}

Status no_thread(std::string_view who, const std::system_error& refusal) {
  const std::string limits = limit_of_process(RLIMIT_NPROC, "-u") + limit_of_group("pids.max", "pids.current");
  return {StatusCode::kUnavailable,
          fmt::format("no {} thread can be made: {} ({}); hint: raise the limit (systemd: TasksMax=, LimitNPROC=; "
                      "docker: --pids-limit)",
                      who, refusal.code().message(), limits)};
}

}  // namespace walcat
