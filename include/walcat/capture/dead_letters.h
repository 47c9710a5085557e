#pragma once

#include <memory>
#include <string>
#include <utility>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/capture/capture_writer.h"

namespace walcat {

/// The capture file of one database's frames that could not be decoded, made when the first one is put in. Without a
/// path they are put nowhere.
///
/// Threads: stage-bound (decoder).
class DeadLetters {
 public:
  DeadLetters(std::string path, log::Logger logger) : path_(std::move(path)), logger_(std::move(logger)) {}

  const std::string& path() const { return path_; }

  /// Puts in a frame, whose stream must not be null; its bytes are copied.
  void put(const CapturedFrame& frame);

  /// Returns once everything that was put in is on the disk.
  ///
  /// Errors: kRefused, for good, if it can't be: see CaptureWriter.
  Status sync();

 private:
  const std::string path_;
  const log::Logger logger_;
  std::unique_ptr<CaptureWriter> writer_;
  Status status_;
};

}  // namespace walcat
