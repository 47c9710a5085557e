#pragma once

#include <memory>
#include <string>

#include "walcat/base/byte_reader.h"
#include "walcat/model/snapshot.h"
#include "walcat/model/stream_identity.h"
#include "walcat/model/type.h"

namespace walcat {

// How a capture describes streams, relations and types: see format.h. What is put is appended to `bytes`. What is read
// is null where it makes no sense; nothing is made larger than the bytes it is read from are.

void put_stream(std::string& bytes, const StreamIdentity& stream);
std::shared_ptr<const StreamIdentity> read_stream(ByteReader& reader);

void put_note(std::string& bytes, const RelationNote& note);
std::shared_ptr<const RelationNote> read_note(ByteReader& reader);

/// Rules of columns are left out.
void put_snapshot_source(std::string& bytes, const SnapshotSource& source);
std::shared_ptr<const SnapshotSource> read_snapshot_source(ByteReader& reader);

}  // namespace walcat
