#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace walcat {

/// What the caller does next, not where the failure arose.
enum class StatusCode {
  kOk,
  kUnavailable,    ///< Broken, and worth another attempt: connection lost, refused, in trouble.
  kWaiting,        ///< Nothing is broken, wait for it: server starting or shutting down, slot in use.
  kStopped,        ///< Work was given up because a stop was asked for.
  kRefused,        ///< No retry heals it; a person must change a right, a setting or an object.
  kGap,            ///< Changes are lost or may be: slot gone, recreated, advanced, another server.
  kConfiguration,  ///< The configuration is wrong.
  kProtocolError,  ///< Bytes from the server make no sense.
  kOutputFailed,   ///< The output accepts no more: closed pipe, full disk.
  kInternal,       ///< Our own bug.
};

/// Where a fault arose, for those who count them.
enum class FaultKind {
  kUnknown,
  kConnection,
  kAuthentication,  ///< Who we are and what we may: passwords, roles, rights.
  kProtocol,
  kDecode,
  kSlot,  ///< Slot and publication.
  kSnapshot,
  kOffset,
  kOutput,
};

/// Success, or a code with one readable sentence.
///
/// Threads: a value type; share it like a string.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  static Status ok() { return {}; }

  bool is_ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  FaultKind kind() const { return kind_; }

  /// Whether it is worth another attempt.
  bool is_transient() const { return code_ == StatusCode::kUnavailable || code_ == StatusCode::kWaiting; }

  /// The same status with `context` and a colon before its message.
  Status with_context(const std::string& context) const {
    return is_ok() ? *this : Status(code_, context + ": " + message_).with_kind(kind_);
  }
  /// The same status, of `kind`.
  Status with_kind(FaultKind kind) const {
    Status same = *this;
    same.kind_ = kind;
    return same;
  }
  /// The same status, of `kind` unless it has one.
  Status or_kind(FaultKind kind) const { return kind_ == FaultKind::kUnknown ? with_kind(kind) : *this; }

 private:
  StatusCode code_ = StatusCode::kOk;
  FaultKind kind_ = FaultKind::kUnknown;
  std::string message_;
};

/// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : state_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool is_ok() const { return std::holds_alternative<T>(state_); }
  Status status() const { return is_ok() ? Status::ok() : std::get<Status>(state_); }

  T& value() & { return std::get<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace walcat
