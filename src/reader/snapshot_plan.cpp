#include "snapshot_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "walcat/model/visible_transactions.h"

namespace walcat {

namespace {

// A row's xmin has no epoch, and that of an old, frozen row says nothing once the counter has come round.
bool is_first_epoch(const VisibleTransactions& visible) { return visible.xmax < (std::uint64_t{1} << 32); }

std::uint32_t without_epoch(std::uint64_t xid) { return static_cast<std::uint32_t>(xid); }

// Names of a user's condition, which may stand beside ours, are looked for in other schemas first.
std::string younger_than(std::uint64_t xid) {
  return fmt::format(
      "pg_catalog.age(xmin) OPERATOR(pg_catalog.>=) 0 AND pg_catalog.age(xmin) OPERATOR(pg_catalog.<=) "
      "pg_catalog.age('{}'::pg_catalog.xid)",
      without_epoch(xid));
}

// Rows that no transaction wrote that the point does not see.
std::string seen_by_point(const VisibleTransactions& visible) {
  std::string unseen = younger_than(visible.xmax);
  for (const std::uint64_t xid : visible.in_progress) {
    unseen += fmt::format(" OR xmin OPERATOR(pg_catalog.=) '{}'::pg_catalog.xid", without_epoch(xid));
  }
  return "NOT (" + unseen + ")";
}

// Of all tables, beside one for each, however small the chunks are to be: progress is kept for each.
constexpr std::uint64_t kChunksMost = std::uint64_t{1} << 20;

// `conditions` may be empty, and so may each of them.
std::string copy_command(const PublishedRelation& published, const TableName& table,
                         const std::vector<std::string>& conditions) {
  const std::string columns = column_list(published.relation);
  std::string where;
  for (const std::string& condition : conditions) {
    if (!condition.empty()) where += (where.empty() ? " WHERE (" : " AND (") + condition + ")";
  }
  // COPY of a table itself, which costs less, must name a column, and knows no generated ones.
  if (where.empty() && !columns.empty() && !published.has_generated) {
    return fmt::format("COPY {} ({}) TO STDOUT", table.quoted(), columns);
  }
  return fmt::format("COPY (SELECT {} FROM ONLY {}{}) TO STDOUT", columns, table.quoted(), where);
}

std::string page_range(const SnapshotProgress::Table& table, std::size_t first, std::size_t last) {
  if (table.chunk_pages == 0) return {};
  std::string range = fmt::format("ctid OPERATOR(pg_catalog.>=) '({},0)'::pg_catalog.tid", first * table.chunk_pages);
  if (last + 1 < table.done.size()) {
    range += fmt::format(" AND ctid OPERATOR(pg_catalog.<) '({},0)'::pg_catalog.tid", (last + 1) * table.chunk_pages);
  }
  return range;
}

// Runs of chunks that are done, as one condition.
std::string done_ranges(const SnapshotProgress::Table& table) {
  std::string ranges;
  for (std::size_t i = 0; i < table.done.size(); ++i) {
    if (!table.done[i]) continue;
    std::size_t last = i;
    while (last + 1 < table.done.size() && table.done[last + 1]) ++last;
    ranges += (ranges.empty() ? "" : " OR ") + ("(" + page_range(table, i, last) + ")");
    i = last;
  }
  return ranges;
}

std::uint64_t pages_of(const std::vector<PublishedRelation>& relations) {
  std::uint64_t pages = 0;
  for (const PublishedRelation& published : relations) {
    for (const PhysicalTable& physical : published.tables) pages += physical.pages;
  }
  return pages;
}

// `all_pages`: those of all tables of the snapshot.
SnapshotProgress::Table cut_table(const PhysicalTable& physical, std::uint64_t all_pages, const PlanOptions& options) {
  SnapshotProgress::Table table;
  table.name = physical.name.to_string();
  table.oid = physical.oid;
  table.filenode = physical.filenode;
  std::size_t chunks = 1;
  if (options.by_chunks) {
    const std::uint64_t wanted = std::max<std::uint64_t>(options.chunk_bytes / physical.page_bytes, 1);
    const std::uint64_t pages = std::max(wanted, all_pages / kChunksMost + 1);
    table.chunk_pages = static_cast<std::uint32_t>(std::min<std::uint64_t>(pages, 1U << 31));
    chunks = std::max<std::size_t>((physical.pages + table.chunk_pages - 1) / table.chunk_pages, 1);
    if (chunks == 1) table.chunk_pages = 0;
  }
  table.done.resize(chunks);
  return table;
}

std::map<std::uint32_t, const PhysicalTable*> tables_by_oid(const std::vector<PublishedRelation>& relations) {
  std::map<std::uint32_t, const PhysicalTable*> tables;
  for (const PublishedRelation& published : relations) {
    for (const PhysicalTable& physical : published.tables) tables.emplace(physical.oid, &physical);
  }
  return tables;
}

// The reads of one physical table.
class TablePlan {
 public:
  TablePlan(const PublishedRelation& published, const PhysicalTable& physical, const SnapshotProgress::Table& table,
            const SnapshotStart& start)
      : published_(published), physical_(physical), table_(table), is_resumed_(start.is_resumed) {
    visible_ = VisibleTransactions::parse(start.progress.visible).value_or(VisibleTransactions{});
  }

  void append_to(std::vector<SnapshotTask>& tasks, std::size_t source) const {
    // A rewrite gives rows another xmin, and none to the stream.
    const std::string seen = is_resumed_ && !published_.has_key && is_first_epoch(visible_) && !table_.is_rewritten
                                 ? seen_by_point(visible_)
                                 : std::string();
    for (std::size_t i = 0; i < table_.done.size(); ++i) {
      if (table_.done[i]) continue;
      const ChunkId chunk{table_.oid, table_.filenode, static_cast<std::uint32_t>(i)};
      const std::uint64_t begin = i * table_.chunk_pages;
      const std::uint64_t pages =
          i + 1 < table_.done.size() ? table_.chunk_pages : physical_.pages - std::min(begin, physical_.pages);
      tasks.push_back({source, chunk, copy({page_range(table_, i, i), seen}), pages});
    }
    const bool may_miss_values =
        published_.has_key && physical_.has_toast && published_.relation.identity != ReplicaIdentity::kFull;
    if (!table_.is_mixed || !may_miss_values) return;
    if (const std::string done = done_ranges(table_); !done.empty()) {
      tasks.push_back({source, std::nullopt, copy({done, written_since(visible_.xmin)}), 0});
    }
  }

 private:
  std::string copy(std::vector<std::string> conditions) const {
    conditions.push_back(published_.row_filter);
    return copy_command(published_, physical_.name, conditions);
  }

  const PublishedRelation& published_;
  const PhysicalTable& physical_;
  const SnapshotProgress::Table& table_;
  const bool is_resumed_;
  VisibleTransactions visible_;
};

}  // namespace

std::string written_since(std::uint64_t xid) { return younger_than(xid); }

std::string column_list(const Relation& relation) {
  std::string list;
  for (const Column& column : relation.columns) list += (list.empty() ? "" : ", ") + quote_identifier(column.name);
  return list;
}

std::vector<SnapshotProgress::Table> cut_tables(const std::vector<PublishedRelation>& relations,
                                                const PlanOptions& options) {
  std::vector<SnapshotProgress::Table> tables;
  const std::uint64_t pages = pages_of(relations);
  for (const PublishedRelation& published : relations) {
    for (const PhysicalTable& physical : published.tables) tables.push_back(cut_table(physical, pages, options));
  }
  return tables;
}

void update_tables(SnapshotProgress& progress, const std::vector<PublishedRelation>& relations,
                   const PlanOptions& options, const log::Logger& logger) {
  const auto now = tables_by_oid(relations);
  const std::uint64_t pages = pages_of(relations);
  std::erase_if(progress.tables, [&](const SnapshotProgress::Table& table) {
    if (now.contains(table.oid)) return false;
    logger.warning("snapshot: table {} is not there any more, or not published; passing it over", table.name);
    return true;
  });
  for (SnapshotProgress::Table& table : progress.tables) {
    const PhysicalTable& physical = *now.at(table.oid);
    if (table.filenode != physical.filenode) {
      logger.warning("snapshot: table {} was rewritten or truncated meanwhile; reading all of it anew", table.name);
      table = cut_table(physical, pages, options);
      table.is_rewritten = true;
      continue;
    }
    const auto done = std::count(table.done.begin(), table.done.end(), true);
    if (done > 0 && static_cast<std::size_t>(done) < table.done.size()) table.is_mixed = true;
  }
}

void plan_reads(const std::vector<PublishedRelation>& relations,
                const std::vector<std::shared_ptr<const RelationNote>>& notes, SnapshotStart& start) {
  std::map<std::uint32_t, const SnapshotProgress::Table*> progress;
  for (const SnapshotProgress::Table& table : start.progress.tables) progress.emplace(table.oid, &table);
  for (std::size_t i = 0; i < relations.size(); ++i) {
    const PublishedRelation& published = relations[i];
    const std::size_t tasks = start.tasks.size();
    for (const PhysicalTable& physical : published.tables) {
      const auto table = progress.find(physical.oid);
      if (table == progress.end()) continue;
      TablePlan(published, physical, *table->second, start).append_to(start.tasks, start.sources.size());
      start.rows += std::max(physical.rows, 0.0);
      start.tables.push_back(physical.name);
      start.outlines.push_back(
          {physical.name.to_string(), physical.rows, physical.pages * physical.page_bytes, table->second->done.size()});
    }
    if (start.tasks.size() == tasks) continue;
    auto source = std::make_shared<SnapshotSource>();
    source->relation = published.relation;
    for (const PhysicalTable& physical : published.tables) source->parts.push_back(physical.oid);
    source->note = notes.empty() ? nullptr : notes[i];
    source->point = start.progress.point;
    source->began = start.progress.began;
    source->first_index = (start.progress.sessions - 1) * kSnapshotSessionRows;
    start.sources.push_back(std::move(source));
  }
  const auto now = tables_by_oid(relations);
  for (const SnapshotTask& task : start.tasks) {
    const auto physical = task.chunk ? now.find(task.chunk->table_oid) : now.end();
    if (physical != now.end()) start.bytes += task.pages * physical->second->page_bytes;
  }
}

}  // namespace walcat
