#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/model/change.h"
#include "walcat/model/followed_table.h"
#include "walcat/model/incremental_snapshot.h"
#include "walcat/model/remembered_table.h"
#include "walcat/model/snapshot.h"

namespace walcat {

/// How far one database's changes were written for good, and of which server and slot that is true.
struct Offset {
  std::string system_identifier;
  std::uint32_t timeline = 0;
  std::string database;
  std::string slot;
  std::string publication;
  /// Where to go on; its `open_*` half is there after a stop in the middle of a transaction only.
  ResumePoint done;
  /// The snapshot that came, or is to come, before the stream; nothing if there was none.
  std::optional<SnapshotProgress> snapshot = std::nullopt;
  /// Snapshots that are to be read while the stream goes on, the one in hand first.
  std::vector<IncrementalSnapshot> incremental = {};
  /// What the configuration captured; nothing in files of versions that did not note it.
  std::optional<CapturedTables> captured = std::nullopt;
  /// What rules hid so far; nothing in files of versions that did not note it.
  std::vector<RememberedTable> remembered = {};
  /// The slots of every entry of the configuration; empty in files of versions that did not note them.
  std::vector<std::string> configured_slots = {};
  /// Which tables the position speaks for, in the order of their OIDs; nothing in files of versions that did not note
  /// it.
  std::optional<std::vector<FollowedTable>> published = std::nullopt;
  /// What the listed names stand for; a name for two tables, where one that had it was renamed and another has it now.
  std::vector<ListedTable> listed = {};

  bool operator==(const Offset&) const = default;
};

/// The file that keeps one database's offset: one JSON object, replaced as a whole.
///
///     {"version":1,"system_identifier":"7301..","timeline":1,"database":"db1","slot":"slot1","publication":"pub1",
///      "position":"0/15E4C58","open_transaction":{"commit_lsn":"0/15E4D00","changes":3},
///      "snapshot":{"point":"0/15E4C58","began":823123123123,"visible":"750:750:","sessions":1,"complete":false,
///        "tables":[{"table":"public.t","oid":16385,"filenode":16385,"chunk_pages":2048,"chunks":81,"done":"0-11,13",
///                   "mixed":false,"rewritten":false}]},
///      "incremental":[{"id":"a1b2","channel":"walcat_5e0c","tables":["public.t"],"parts":[],"where":"",
///        "rows_per_second":0,"paused":false,"added":false,"part":"public.t",
///        "key":["id bigint","table 16385"],"last_key":["4711"],"seen_xid":750}],
///      "captured":{"tables":["public.t"],"include":[],"exclude":[]},
///      "remembered":[{"oid":16385,"layout":{"table":"public.t","columns":["id","email"]},"hidden":["email"],
///        "numbers":[{"attnum":2,"column":"email"}],"dropped":[],
///        "printed":[{"table":"public.t","columns":["id","email"]}],"until":"0/15E4C58","index":0,"masked":[],
///        "let_through":[],"parts":[],"former":[],"excluded":false,"kept_out":false,"is_let_through":false,
///        "from_catalog":false}],
///      "configured_slots":["slot1","slot2"],
///      "published":[{"oid":16385,"table":"public.t","membership":"o731.iudt.10 r16420","since":"0/15E4C58"}],
///      "listed":[{"oid":16385,"table":"public.t"}],
///      "stored_at":"2026-01-31T12:00:00Z"}
///
/// `open_transaction` stands there only after a stop in the middle of a transaction. `snapshot` stands there if one was
/// taken or begun; its tables until it is complete. `incremental` stands there while such snapshots are under way,
/// `remembered` where rules hide something.
/// Threads: thread-safe for different files; one thread at a time for one.
class OffsetFile {
 public:
  /// An empty path: nothing is kept.
  explicit OffsetFile(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }

  /// The stored offset; nothing if there is no file.
  ///
  /// Errors: kRefused if it holds a condition in SQL, which the next start runs, and others may have written it. kGap
  /// if the file is there but unreadable, torn, no regular file or not ours: starting anew in silence would lose
  /// changes. kUnavailable where the machine refuses just now, a descriptor for one. Worth retrying.
  Result<std::optional<Offset>> load() const;

  /// Replaces the file so that a crash at any moment leaves the old or the new content: temporary file, fsync, rename,
  /// fsync of the folder.
  ///
  /// Errors: kUnavailable with the path and the system's reason; the old content stands. Worth retrying.
  Status store(const Offset& offset) const;

 private:
  std::string path_;
};

/// The name of a slot's offset file: of `offset.json` and slot1 it is `offset_slot1.json`.
std::string offset_path_for_slot(const std::string& base, const std::string& slot_name);

}  // namespace walcat
