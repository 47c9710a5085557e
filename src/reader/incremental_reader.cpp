#include "walcat/reader/incremental_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "keyed_parts.h"
#include "snapshot_plan.h"
#include "snapshot_start.h"
#include "walcat/postgres/owners_code.h"
#include "walcat/postgres/server.h"
#include "walcat/postgres/snapshot.h"
#include "walcat/reader/copy_reader.h"
#include "walcat/reader/snapshot_signal.h"

namespace walcat {

namespace {

// A notification's payload ends before 8000 bytes.
constexpr std::size_t kTextMost = 1'200;

// `conditions` may be empty, and so may each of them. One may end with a comment.
std::string where_clause(const std::vector<std::string>& conditions) {
  std::string where;
  for (const std::string& condition : conditions) {
    if (!condition.empty()) where += (where.empty() ? " WHERE (" : " AND (") + condition + "\n)";
  }
  return where;
}

}  // namespace

IncrementalReader::IncrementalReader(const DatabaseOptions& options, const Selection& selection,
                                     const StopRequest& stop, const log::Logger& logger)
    : options_(options), selection_(selection), stop_(stop), logger_(logger), gate_(options.large_rows, [this] {
        stop_.wake().notify();
      }) {}

// Between questions the session is idle, but where one has failed in the middle of a transaction.
Status IncrementalReader::connect() {
  if (gate_.is_to_shrink()) connection_.reset();
  if (connection_ != nullptr && !connection_->is_idle()) connection_.reset();
  if (connection_ != nullptr) return Status::ok();
  gate_.release();
  auto opened =
      Connection::open({.conn_str = options_.conn_str, .replication = false, .stop = &stop_, .logger = logger_});
  if (!opened.is_ok()) return opened.status();
  connection_ = std::move(*opened);
  Status ready = check_in();
  if (!ready.is_ok()) connection_.reset();
  return ready;
}

Status IncrementalReader::check_in() {
  if (connection_->server_version() < kVersionWithMessages) {
    return {StatusCode::kRefused, "servers before 14 send no messages by pgoutput, which incremental snapshots need"};
  }
  // The server would take longer to compile a question to the catalog than to answer it.
  for (const char* sql : {"SET row_security = off", "SET lock_timeout = '5s'", "SET synchronous_commit = local",
                          "SET default_transaction_read_only = off", "SET jit = off"}) {
    if (Status done = connection_->execute(sql); !done.is_ok()) return done;
  }
  return Status::ok();
}

Result<std::vector<IncrementalReader::Plan>> IncrementalReader::plan(std::span<const TableName> tables,
                                                                     const std::string& where) {
  if (const Status connected = connect(); !connected.is_ok()) return connected;
  if (const Status begun = begin_snapshot(*connection_); !begun.is_ok()) return begun;
  auto plans = find_keyed_parts(*connection_, options_, selection_, tables);
  if (!plans.is_ok()) return plans;
  if (const Status ended = end_snapshot(*connection_); !ended.is_ok()) return ended;
  if (where.empty()) return plans;
  for (Plan& plan : *plans) {
    if (!plan.is_ok()) continue;
    const Status fits = check_condition(*plan, where);
    if (!fits.is_ok() && fits.code() != StatusCode::kRefused) return fits;
    if (!fits.is_ok()) plan = fits;
  }
  return plans;
}

Status IncrementalReader::describe(std::vector<KeyedPart>& parts) {
  if (!options_.describe_relations || parts.empty()) return Status::ok();
  if (Status connected = connect(); !connected.is_ok()) return connected;
  auto described = note_of(*connection_, parts.front().source->relation);
  if (!described.is_ok()) return described.status();
  auto source = std::make_shared<SnapshotSource>(*parts.front().source);
  source->note = *std::move(described);
  for (KeyedPart& part : parts) part.source = source;
  return Status::ok();
}

// A transaction for each table, whose owner has code run. Behind the savepoint a condition may make no sense.
Status IncrementalReader::check_condition(const std::vector<KeyedPart>& parts, const std::string& where) {
  std::vector<TableName> names;
  for (const KeyedPart& part : parts) names.push_back(part.part);
  if (const Status begun = begin_snapshot(*connection_); !begun.is_ok()) return begun;
  Status fits = lock(names);
  if (!fits.is_ok()) return fits.with_context("table " + parts.front().table.to_string());
  if (const Status begun = begin_owners_code(*connection_); !begun.is_ok()) return begun;
  for (const KeyedPart& part : parts) {
    fits = check_condition(part.part, where);
    if (!fits.is_ok()) break;
  }
  if (fits.is_ok()) return end_snapshot(*connection_);
  if (fits.code() != StatusCode::kRefused) return fits;
  if (const Status undone = undo_failed_owners_code(*connection_); !undone.is_ok()) return undone;
  if (const Status ended = end_snapshot(*connection_); !ended.is_ok()) return ended;
  return fits.with_context("table " + parts.front().table.to_string());
}

// Before the snapshot is taken: it would see nothing of a table that is rewritten in between. Where a lock is refused,
// no owner's code has run yet.
Status IncrementalReader::lock(const std::vector<TableName>& tables) {
  const Status locked = lock_tables(*connection_, tables);
  if (locked.code() != StatusCode::kRefused) return locked;
  const Status ended = connection_->execute("ROLLBACK");
  return ended.is_ok() ? locked : ended;
}

// Without parentheses around it a condition can close none that it has not opened: so between them it stays.
Status IncrementalReader::check_condition(const TableName& part, const std::string& where) {
  if (Status own = use_own_path(*connection_); !own.is_ok()) return own;
  for (const std::string& clause : {fmt::format(" WHERE CASE WHEN {}\n THEN true END", where), where_clause({where})}) {
    const std::string sql = fmt::format("SELECT FROM ONLY {}{} LIMIT 0", part.quoted(), clause);
    // It may name other tables, too.
    const Status makes_sense = connection_->execute(sql, Wait::kForOthers);
    if (!makes_sense.is_ok()) return makes_sense;
  }
  return use_pinned_path(*connection_);
}

Result<Vouchers> IncrementalReader::vouchers() {
  if (const Status connected = connect(); !connected.is_ok()) return connected;
  return Vouchers::look(*connection_);
}

Result<std::uint64_t> IncrementalReader::next_transaction() {
  if (const Status connected = connect(); !connected.is_ok()) return connected;
  return connection_->query_value<std::uint64_t>({"the next transaction", "SELECT pg_catalog.pg_current_xact_id()"});
}

Result<std::optional<IncrementalReader::Key>> IncrementalReader::largest_key(const KeyedPart& part) {
  std::string columns;
  for (const std::string& column : part.key.names())
    columns += (columns.empty() ? "" : ", ") + quote_identifier(column);
  return connection_->query_texts({"the largest key of table " + part.part.to_string(),
                                   fmt::format("SELECT {} FROM ONLY {}{} {} LIMIT 1", columns, part.part.quoted(),
                                               rows_where({}), part.key.descending()),
                                   Wait::kForOthers},
                                  part.key.columns().size());
}

Result<std::optional<IncrementalReader::Moment>> IncrementalReader::begin_chunk(const KeyedPart& part,
                                                                                const std::string& where) {
  std::vector<TableName> tables{part.part};
  if (part.table != part.part) tables.push_back(part.table);
  if (const Status connected = connect(); !connected.is_ok()) return connected;
  if (const Status begun = begin_snapshot(*connection_); !begun.is_ok()) return begun;
  const Status locked = lock(tables);
  if (locked.code() == StatusCode::kRefused) return std::optional<Moment>();
  if (!locked.is_ok()) return locked;
  auto row = connection_->query_row<VisibleTransactions, std::optional<std::string>>(
      {"what the snapshot sees of table " + part.part.to_string(),
       "SELECT pg_catalog.pg_current_snapshot(), " +
           shape_of(std::to_string(part.part_oid), std::to_string(part.source->relation.oid),
                    connection_->literal(options_.publication_name), connection_->server_version())});
  if (!row.is_ok()) return row.status();
  if (const Status chosen = choose_rows(part, where); !chosen.is_ok()) return chosen;
  auto& [visible, shape] = *row;
  return std::optional(Moment{std::move(visible), std::move(shape).value_or("")});
}

// Where a user's condition is read by the role's own path, so is all that stands beside it.
Status IncrementalReader::choose_rows(const KeyedPart& part, const std::string& where) {
  conditions_ = {part.row_filter, where};
  if (where.empty()) return Status::ok();
  if (Status own = use_own_path(*connection_); !own.is_ok() || part.row_filter.empty()) return own;
  auto filter = row_filter_in_force(*connection_, options_.publication_name, part.source->relation.oid);
  if (filter.is_ok()) conditions_.front() = std::move(*filter);
  return filter.status();
}

std::string IncrementalReader::rows_where(std::vector<std::string> conditions) const {
  conditions.insert(conditions.begin(), conditions_.begin(), conditions_.end());
  return where_clause(conditions);
}

KeyOrder::Quote IncrementalReader::quote() const {
  return [this](std::string_view text) { return connection_->literal(text); };
}

// A user's condition may name tables of other owners. Run by run, each a query of its own: no other says in which order
// runs come, and finds the first by the index alone.
Result<bool> IncrementalReader::read(const KeyedPart& part, const Range& range, Batch& batch) {
  const auto runs = range.after.empty() ? std::vector<std::string>{""} : part.key.after(range.after, quote());
  const std::string since = range.since ? written_since(*range.since) : std::string();
  const std::string pinned = conditions_.back().empty() ? std::string() : values_print_as_pinned();
  const std::string up_to_last = part.key.up_to(range.last, quote());
  for (const std::string& run : runs) {
    if (batch.frame_count() >= range.rows_most) return false;
    const auto whole =
        copy(fmt::format("COPY (SELECT {} FROM ONLY {}{} {} LIMIT {}) TO STDOUT", column_list(part.source->relation),
                         part.part.quoted(), rows_where({pinned, since, run, up_to_last}), part.key.ascending(),
                         range.rows_most - batch.frame_count()),
             batch);
    if (!whole.is_ok() || !*whole) return whole;
  }
  return batch.frame_count() < range.rows_most;
}

// Partitions may have other owners than the rows that are printed.
Result<bool> IncrementalReader::read(const KeyedPart& part, const std::vector<Key>& keys, Batch& batch) {
  const bool is_partitioned = part.part != part.table;
  const bool has_others = is_partitioned || !conditions_.back().empty();
  const std::string pinned = has_others ? values_print_as_pinned() : std::string();
  return copy(fmt::format("COPY (SELECT {} FROM {}{}{}) TO STDOUT", column_list(part.source->relation),
                          is_partitioned ? "" : "ONLY ", part.table.quoted(),
                          rows_where({pinned, part.key.any_of(keys, quote())})),
              batch);
}

Result<bool> IncrementalReader::copy(const std::string& sql, Batch& batch) {
  CopyReader reader(*connection_, gate_, stop_);
  if (const Status started = reader.start(sql + pinned_encoding(*connection_)); !started.is_ok()) return started;
  const auto filled = reader.fill(batch);
  if (!filled.is_ok()) return filled.status();
  if (*filled == CopyReader::Progress::kEnded) return true;
  if (const Status skipped = reader.skip_rest(); !skipped.is_ok()) return skipped;
  return false;
}

Status IncrementalReader::end_chunk() { return end_snapshot(*connection_); }

Status IncrementalReader::mark(const std::string& mark) {
  if (Status connected = connect(); !connected.is_ok()) return connected;
  SnapshotSignal signal;
  signal.mark = mark;
  return connection_->execute("SELECT pg_catalog.pg_logical_emit_message(true, $1, $2)",
                              {std::string(kSnapshotPrefix), to_message(signal, options_.slot_name)});
}

// News are a courtesy: that they can't be told stops nothing. An idle connection may have been cut.
void IncrementalReader::tell(const std::string& channel, SnapshotNews news) {
  if (channel.empty()) return;
  // Escapes may make it six times as long.
  news.text = news.text.substr(0, kTextMost);
  for (int attempt = 1; attempt <= 2; ++attempt) {
    if (!connect().is_ok()) return;
    const Status told =
        connection_->execute("SELECT pg_catalog.pg_notify($1, $2)", {channel, to_payload(news, options_.slot_name)});
    if (told.is_ok()) return;
    logger_.debug("incremental snapshot {}: {}", news.id, told.message());
    connection_.reset();
  }
}

}  // namespace walcat
