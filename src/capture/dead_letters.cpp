#include "walcat/capture/dead_letters.h"

namespace walcat {

namespace {

// A letter is not waited for: its database stops, and finds the same frame again when it is started anew.
Status final(const Status& status) {
  return status.is_ok() ? status : Status(StatusCode::kRefused, status.message()).with_kind(status.kind());
}

}  // namespace

void DeadLetters::put(const CapturedFrame& frame) {
  if (path_.empty()) return;
  if (writer_ == nullptr && status_.is_ok()) {
    auto opened = CaptureWriter::open(path_);
    if (!opened.is_ok()) {
      status_ = final(opened.status());
      return;
    }
    writer_ = std::move(*opened);
    if (writer_->bytes_cut() > 0) {
      logger_.warning("capture file {}: cut off {} bytes at its end, which were never written whole", path_,
                      writer_->bytes_cut());
    }
  }
  if (writer_ != nullptr) writer_->append(frame);
}

Status DeadLetters::sync() {
  if (status_.is_ok() && writer_ != nullptr) status_ = final(writer_->sync());
  return status_;
}

}  // namespace walcat
