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
  /// `keeps_context`: whether there will be another file, for which relations are kept in mind as they are described.
  explicit RecordEncoder(bool keeps_context) : keeps_context_(keeps_context) {}

  /// What is put from now on goes to another file, which is read by itself.
  void begin_file();

  /// Appends the records of `frame`, or of `parcel`, to `bytes`. The stream must not be null, nor a parcel's session.
  void put(std::string& bytes, const CapturedFrame& frame);
  void put(std::string& bytes, const CapturedParcel& parcel);

  /// Streams that have been described so far.
  std::uint32_t streams_described() const { return numbers_; }

 private:
  struct DescribedRelation {
    std::string frame;
    /// Null if there was none.
    std::shared_ptr<const RelationNote> note;
  };
  struct Stream {
    std::shared_ptr<const StreamIdentity> identity;
    std::uint32_t number = 0;
    /// The latest that was put; null: none.
    std::shared_ptr<const CapturedSession> session;
    /// Whether this file has them.
    bool is_stated = false;
    bool is_session_stated = false;
    /// By OID, the session's Type and Relation messages that came last.
    std::map<std::uint32_t, std::string> types;
    std::map<std::uint32_t, DescribedRelation> relations;
  };
  /// So many sources are known at once; an older one is described anew.
  static constexpr std::size_t kSources = 64;

  Stream& stream_of(std::string& bytes, const std::shared_ptr<const StreamIdentity>& identity);
  void state_session(std::string& bytes, Stream& stream, const CapturedParcel& parcel);
  static void put_context(std::string& bytes, const Stream& stream, const CapturedParcel& parcel);
  static void keep_context(Stream& stream, const CapturedParcel& parcel);
  std::uint32_t number_of(std::string& bytes, const std::shared_ptr<const SnapshotSource>& source);

  const bool keeps_context_;
  /// By label: one of another identity takes the place of the one before.
  std::map<std::string, Stream> streams_;
  Stream* latest_ = nullptr;
  std::uint32_t numbers_ = 0;
  std::array<std::shared_ptr<const SnapshotSource>, kSources> sources_;
  std::size_t next_source_ = 0;
};

}  // namespace walcat
