#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "line_writer.h"

namespace walcat {

/// Writes the values of one type.
///
/// Threads: stage-bound; may keep scratch memory from one value to the next.
class CellWriter {
 public:
  virtual ~CellWriter() = default;

  /// Writes the JSON of a value. False if `text`, which is padded, is not of the type; nothing is written then.
  virtual bool write(LineWriter& out, std::string_view text) const = 0;
};

/// A CellWriter of `bool function(LineWriter& out, std::string_view text)`.
template <typename Function>
std::unique_ptr<const CellWriter> cell_writer(Function function) {
  class FunctionWriter final : public CellWriter {
   public:
    explicit FunctionWriter(Function function) : function_(std::move(function)) {}
    bool write(LineWriter& out, std::string_view text) const override { return function_(out, text); }

   private:
    Function function_;
  };
  return std::make_unique<const FunctionWriter>(std::move(function));
}

}  // namespace walcat
