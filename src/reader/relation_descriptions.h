#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace walcat {

/// How the server has described relations in this session, where some descriptions wait in transactions that are
/// prepared. The server describes a relation once: whoever comes after that relies on it, though it may come earlier
/// to the decoder.
///
/// A description is its Relation message, and the Type messages directly before it; whole frames.
///
/// Threads: stage-bound (reader).
class RelationDescriptions {
 public:
  using Frames = std::vector<std::string>;

  /// Relations that a message speaks of; those that it describes not among them. `frame` is an XLogData.
  static std::vector<std::uint32_t> relations_of(std::string_view frame);
  /// The relation that a Relation message describes.
  static std::uint32_t described_by(std::string_view frame);

  /// A frame goes on to the decoder, from the server or out of a transaction that came in blocks.
  void pass(std::string_view frame);
  /// A frame stays with a transaction that is about to be prepared.
  void keep(std::string_view frame);
  /// A frame goes on to the decoder at last, out of a transaction that was prepared.
  void replay(std::string_view frame);

  /// Descriptions that must go to the decoder before `frame`, in their order; from now on they count as gone there.
  Frames take_missing(std::string_view frame);
  /// The newest description of a relation; null if there is none.
  const Frames* find(std::uint32_t relation) const;

  void clear();

 private:
  /// Adds to `gathered` until a Relation message completes a description; its relation then, or nothing.
  static bool gather(Frames& gathered, std::string_view frame);

  std::map<std::uint32_t, Frames> newest_;
  /// Of these the decoder does not know the newest.
  std::set<std::uint32_t> missing_;
  Frames gathered_passed_;
  Frames gathered_kept_;
};

}  // namespace walcat
