#pragma once

#include <cstdint>
#include <memory>

#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/model/batch.h"

namespace walcat {

class RelationCache;

/// Turns the frames of one database into changes (pgoutput, protocol version 1).
///
/// Keeps the state that spans batches: relations and types of the session, the open transaction, and what has been
/// done before, so that transactions a server sends again after a reconnect are dropped here.
class Decoder {
 public:
  Decoder();
  ~Decoder();

  /// Decodes every frame of `batch` and appends the changes, in frame order.
  ///
  /// Units: positions are Lsn; commit time is microseconds since 2000-01-01 UTC.
  /// Threads: stage-bound (decoder). Batches must come in sequence.
  /// Ownership: cells view the batch's frame bytes and live until Batch::clear(); relations are shared and immutable,
  ///     so later schema changes do not touch them.
  /// Errors: kProtocolError on malformed bytes, naming LSN, relation and byte. The batch then holds what came before
  ///     the bad frame, and no further batch of this database may be decoded. Never retryable.
  /// Source: PostgreSQL manual, protocol-replication and protocol-logicalrep-message-formats.
  Status decode(Batch& batch);

 private:
  class Message;

  void start_session(const Batch& batch);
  Status decode_frame(std::string_view frame);
  void keepalive(Lsn wal_end);
  bool wants_change();
  Change& add_change(Operation operation, const Relation* relation, Lsn lsn);
  void reach(Lsn position);

  void begin(Message& message);
  void commit(Message& message);
  void relation(Message& message);
  void type(Message& message);
  void insert(Message& message);
  void update(Message& message);
  void remove(Message& message);
  void truncate(Message& message);
  void logical_message(Message& message);

  const Relation* known_relation(Message& message);
  void tuple(Message& message, const Relation& relation);
  OldTuple old_tuple(Message& message, const Relation& relation, std::uint8_t marker);

  std::unique_ptr<RelationCache> relations_;
  std::uint64_t session_ = 0;

  // What is done.
  Lsn position_;
  Lsn last_message_lsn_;
  Lsn open_commit_lsn_;
  std::uint64_t open_changes_ = 0;

  // The transaction in hand.
  bool in_transaction_ = false;
  Transaction transaction_;
  std::uint64_t next_index_ = 0;
  /// Changes of the transaction with a lower index went down the street before.
  std::uint64_t done_below_ = 0;

  // The batch in hand.
  Batch* batch_ = nullptr;
  bool transaction_in_batch_ = false;
};

}  // namespace walcat
