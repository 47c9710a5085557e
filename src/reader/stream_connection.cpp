#include "stream_connection.h"

#include <fmt/format.h>

#include "walcat/postgres/server.h"
#include "walcat/postgres/slot.h"

namespace walcat {

namespace {

// Where an address leads to several servers, the second connection may have come to another.
Status check_same_server(const ServerIdentity& server, const Offset& offset) {
  if (server.system_identifier == offset.system_identifier && server.timeline == offset.timeline) return Status::ok();
  return {StatusCode::kUnavailable,
          fmt::format("the connection for the stream leads to another server: system identifier {}, timeline {}, where "
                      "the slot was looked at on {}, timeline {}",
                      server.system_identifier, server.timeline, offset.system_identifier, offset.timeline)};
}

}  // namespace

Status end_snapshot(Connection& connection, const SnapshotStart& snapshot) {
  if (Status ended = connection.execute("COMMIT"); !ended.is_ok()) return ended;
  return snapshot.temporary_slot.empty() ? Status::ok() : drop_slot(connection, snapshot.temporary_slot);
}

Result<std::unique_ptr<Connection>> open_stream(const DatabaseOptions& options, const Offset& offset, Lsn position,
                                                bool two_phase, const StopRequest& stop, const log::Logger& logger) {
  auto connection = Connection::open({.conn_str = options.conn_str, .stop = &stop, .logger = logger});
  if (!connection.is_ok()) return connection;
  const auto server = identify_server(**connection);
  if (!server.is_ok()) return server.status();
  if (Status same = check_same_server(*server, offset); !same.is_ok()) return same;
  const int version = (*connection)->server_version();
  Status started =
      (*connection)
          ->start_replication(start_replication_command(**connection, options.slot_name, options.publication_name,
                                                        {.position = two_phase ? Lsn{} : position,
                                                         .streaming = options.spool.streaming,
                                                         .two_phase = options.two_phase}));
  if (!started.is_ok()) return started;
  logger.info("streaming from slot {} at {} (server {}.{})", options.slot_name, position.to_string(), version / 10000,
              version % 10000);
  return connection;
}

}  // namespace walcat
