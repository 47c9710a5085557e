#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "walcat/capture/format.h"
#include "walcat/capture/parcel.h"

namespace walcat {

/// Makes records of frames and parcels, before each those that it needs and the file does not have yet; see format.h.
///
/// Threads: stage-bound.
class RecordEncoder {
 public:
  /// Appends the records of `frame`, or of `parcel`, to `bytes`. The stream must not be null, nor a parcel's session.
  void put(std::string& bytes, const CapturedFrame& frame);
  void put(std::string& bytes, const CapturedParcel& parcel);

 private:
  struct Stream {
    std::shared_ptr<const StreamIdentity> identity;
    std::uint32_t number = 0;
    /// The latest that was put; null: none.
    std::shared_ptr<const CapturedSession> session;
  };
  /// So many sources are known at once; an older one is described anew.
  static constexpr std::size_t kSources = 64;

  Stream& stream_of(std::string& bytes, const std::shared_ptr<const StreamIdentity>& identity);
  std::uint32_t number_of(std::string& bytes, const std::shared_ptr<const SnapshotSource>& source);

  /// By label: one of another identity takes the place of the one before.
  std::map<std::string, Stream> streams_;
  Stream* latest_ = nullptr;
  std::uint32_t numbers_ = 0;
  std::array<std::shared_ptr<const SnapshotSource>, kSources> sources_;
  std::size_t next_source_ = 0;
};

}  // namespace walcat
