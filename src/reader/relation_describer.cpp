#include "relation_describer.h"

#include <algorithm>
#include <utility>

#include "walcat/base/byte_reader.h"
#include "walcat/postgres/catalog.h"
#include "walcat/postgres/slot.h"
#include "walcat/postgres/snapshot.h"
#include "walcat/reader/listed_tables.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat {

void RelationDescriber::begin_session(const TableView& view) {
  unlisted_until_ = view.position;
  // The server may be another one.
  shown_ = VisibleTransactions{};
  is_waited_for_ = false;
  unlisted_.clear();
  described_.clear();
  ancestors_.clear();
  for (const MemberTable& member : view.members) {
    for (const NamedTable& ancestor : member.ancestors) ancestors_.emplace(ancestor.oid, ancestor.name);
  }
  if (!selection_.has_list()) return;
  for (const MemberTable& member : view.members) {
    if (!selection_.follows(member.table.oid)) unlisted_.insert(member.table.oid);
  }
}

Result<bool> RelationDescriber::meet(std::string_view frame, Lsn commit_lsn, std::uint32_t xid, Batch& batch) {
  ByteReader reader(message_body(frame));
  const std::uint32_t relation = reader.u32();
  const std::string_view schema = reader.cstring();
  const std::string_view name = reader.cstring();
  reader.u8();
  std::vector<std::uint32_t> types;
  const std::uint16_t columns = reader.u16();
  for (std::uint16_t i = 0; i < columns && !reader.failed(); ++i) {
    reader.u8();
    reader.cstring();
    types.push_back(reader.u32());
    reader.u32();
  }
  if (reader.failed()) return true;  // The decoder names the fault.
  const TableName table{schema.empty() ? "pg_catalog" : std::string(schema), std::string(name)};
  if (options_.describe_relations || !is_placed(relation, table, commit_lsn)) {
    const auto is_shown = catalog_shows(xid);
    if (!is_shown.is_ok() || !*is_shown) return is_shown;
  }
  if (Status followed = follow(relation, table, commit_lsn, xid); !followed.is_ok()) return followed;
  const bool is_wanted = selection_.wants(relation, table);
  described_.insert_or_assign(relation, Described{table, is_wanted});
  if (is_wanted) compare(relation, table);
  if (options_.describe_relations) {
    if (Status described = describe(relation, types, batch); !described.is_ok()) return described;
  }
  return true;
}

Result<bool> RelationDescriber::catalog_shows(std::uint32_t xid) {
  if (shown_.sees(xid)) return true;
  if (Status connected = connect(); !connected.is_ok()) return connected;
  auto now = current_snapshot(*catalog_);
  if (!now.is_ok()) return now.status().with_context("catalog");
  shown_ = std::move(*now);
  return is_waited_for_ || shown_.sees(xid);
}

Result<bool> RelationDescriber::stop_waiting_for_ourselves() {
  if (Status connected = connect(); !connected.is_ok()) return connected;
  const auto is_standby = is_synchronous_standby(*catalog_, options_.slot_name);
  if (!is_standby.is_ok()) return is_standby.status().with_context("catalog");
  is_waited_for_ = *is_standby;
  return is_waited_for_;
}

bool RelationDescriber::is_placed(std::uint32_t oid, const TableName& name, Lsn commit_lsn) const {
  return !selection_.has_list() || selection_.follows(oid) || selection_.lists(name) || listed_.contains(oid) ||
         (commit_lsn <= unlisted_until_ && unlisted_.contains(oid));
}

bool RelationDescriber::is_outdated(const std::vector<MemberTable>& members) const {
  const auto is_renamed = [&](const NamedTable& ancestor) {
    const auto before = ancestors_.find(ancestor.oid);
    return before != ancestors_.end() && before->second != ancestor.name &&
           (selection_.lists(before->second) || selection_.lists(ancestor.name));
  };
  return std::any_of(members.begin(), members.end(), [&](const MemberTable& member) {
    if (member.ancestors.empty()) return false;
    if (std::any_of(member.ancestors.begin(), member.ancestors.end(), is_renamed)) return true;
    const auto described = described_.find(member.as.oid);
    if (described == described_.end()) return false;
    const auto& [name, is_wanted] = described->second;
    return is_wanted != selection_.wants(member.as.oid, name) || (member.as != member.table && name != member.as.name);
  });
}

Status RelationDescriber::connect() {
  if (catalog_ != nullptr) return Status::ok();
  auto opened =
      Connection::open({.conn_str = options_.conn_str, .replication = false, .stop = &stop_, .logger = logger_});
  if (!opened.is_ok()) return opened.status().with_context("second connection, for the catalog");
  catalog_ = std::move(*opened);
  return Status::ok();
}

// A partition may have been made, or attached, since the session began.
Status RelationDescriber::follow(std::uint32_t oid, const TableName& name, Lsn commit_lsn, std::uint32_t xid) {
  if (!selection_.has_list() || selection_.follows(oid)) return Status::ok();
  if (selection_.lists(name)) {
    // What came before under another name may not have been decoded yet.
    listed_.insert(oid);
    return Status::ok();
  }
  if (listed_.contains(oid)) {
    selection_.follow(oid);
    return Status::ok();
  }
  if (is_placed(oid, name, commit_lsn)) return Status::ok();
  if (Status connected = connect(); !connected.is_ok()) return connected;
  const auto lineage = lineage_of(*catalog_, oid);
  if (!lineage.is_ok()) return lineage.status().with_context("catalog");
  if (lineage->empty()) return follow_dropped(oid, name, xid);
  // Its own name counts as the stream has it: by another one that it has now it comes later.
  const bool is_listed = std::any_of(lineage->begin(), lineage->end(), [&](const NamedTable& table) {
    return table.oid != oid && (selection_.lists(table.name) || selection_.follows(table.oid));
  });
  if (is_listed) selection_.follow(oid);
  return Status::ok();
}

// Of those that stood for a listed table when the publication was looked at, the selection knows already.
Status RelationDescriber::follow_dropped(std::uint32_t oid, const TableName& name, std::uint32_t xid) {
  if (!shown_.sees(xid)) {
    logger_.warning(
        "table {} is not in the catalog yet, whose commits wait for walcat; that it stands for a listed table can't be "
        "seen, and its changes are not printed; hint: leave walcat out of synchronous_standby_names",
        name.to_string());
    return Status::ok();
  }
  if (unlisted_.contains(oid)) {
    logger_.warning("table {} is gone; it stood for no listed table when it was last seen, and is not printed",
                    name.to_string());
    return Status::ok();
  }
  const auto is_possible = may_have_partitions(*catalog_, options_.tables);
  if (!is_possible.is_ok()) return is_possible.status().with_context("catalog");
  if (!*is_possible) return Status::ok();
  logger_.warning("table {} is gone, and may have been a partition of a listed table; its changes are printed",
                  name.to_string());
  selection_.follow(oid);
  return Status::ok();
}

// The stream speaks in the log's order, so what it says later is newer.
void RelationDescriber::compare(std::uint32_t oid, const TableName& name) {
  const auto [known, is_new] = names_.try_emplace(oid, name);
  if (!is_new && known->second != name) {
    logger_.warning("table {} is {} now", known->second.to_string(), name.to_string());
    known->second = name;
  }
  const auto [owner, is_unused] = oids_.try_emplace(name, oid);
  if (is_unused || owner->second == oid) return;
  const auto former = names_.find(owner->second);
  if (former != names_.end() && former->second == name) {
    logger_.warning("table {} is another one now (OID {}, was {}): rows of the old one are gone without deletes",
                    name.to_string(), oid, owner->second);
    names_.erase(former);
  }
  owner->second = oid;
}

Status RelationDescriber::describe(std::uint32_t oid, const std::vector<std::uint32_t>& types, Batch& batch) {
  if (Status connected = connect(); !connected.is_ok()) return connected;
  auto note = describe_relation(*catalog_, oid, types);
  if (!note.is_ok()) return note.status().with_context("catalog");
  batch.notes.push_back(std::move(*note));
  return Status::ok();
}

}  // namespace walcat
