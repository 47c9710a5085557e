#pragma once

#include <cstddef>
#include <string_view>

#include "walcat/model/batch.h"

namespace walcat {

/// Steps through frames as Batch::frames() gives them: back to back, each after its size.
class FrameRun {
 public:
  explicit FrameRun(std::string_view frames) : rest_(frames) {}

  bool empty() const { return rest_.empty(); }
  /// The payload of the next frame; not if empty().
  std::string_view front() const { return rest_.substr(Batch::kFrameHeader, Batch::load_frame_size(rest_.data())); }
  void pop() { rest_.remove_prefix(Batch::kFrameHeader + Batch::load_frame_size(rest_.data())); }
  /// The next frame and all behind it, sizes and all.
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace walcat
