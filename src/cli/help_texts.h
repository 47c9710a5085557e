#pragma once

namespace walcat {

// What --help prints.

inline constexpr const char* kDescription =
    "cat for PostgreSQL's write-ahead log: follows databases by logical replication and\n"
    "prints every change as one line of JSON on stdout. Logs go to stderr.\n";

inline constexpr const char* kFooter = R"(
Exit status:
  0   the bound was reached, or SIGINT or SIGTERM asked for a stop
  64  the command line is wrong
  69  every database failed for good, or a capture is damaged
  70  a bug in walcat
  71  the system refuses what no database can do without: threads, memory, descriptors
  74  the output accepts no more: closed pipe, a device that is full
  75  something has not come to an end in time: what hung after a second signal or an overdue stop
      (stderr names it), or what walcat snapshot has asked for
  78  the configuration is wrong

Signals:
  SIGINT, SIGTERM   stop at the next commit; the second one at once, within a second, whatever hangs, and so
                    does a stop that takes longer than three times shutdown_timeout and ten seconds
  SIGUSR1           report on stderr where each database stands, and its errors by kind

Examples:
  walcat                                   follow what config.yaml names
  walcat -c prod.yaml | jq .message.after  look at the new rows
  walcat --until-caught-up >> all.jsonl    everything up to now, then stop
  walcat --set output.path=out.jsonl --set log.level=debug
  walcat snapshot --tables public.orders   the rows of a table, now
  walcat capture -o today.wcap             record the frames, and print nothing
  walcat replay --rate 5000 today.wcap     print them, at 5000 changes a second
  walcat config -c prod.yaml               what the file, --set and the environment come to

config/example.yaml in the source shows every key of the configuration.)";

inline constexpr const char* kConfigHelp = R"(Print the effective configuration.
Usage: walcat config [OPTIONS]

Reads the file, the environment that it names and every --set, checks them, and prints all
effective values as YAML on stdout, passwords masked. Connects to nothing.

Options:
  -c,--config FILE            Configuration file (default: config.yaml)
  --set KEY=VALUE             Override a key of the file: databases.0.slot_name=s1; repeatable
  --log-level, --log-format   Printed as log.level and log.format

Exit status: 0; 64 when the command line is wrong; 74 when stdout accepts no more; 78 when the
configuration is wrong, with one line a fault on stderr.
)";

inline constexpr const char* kVersionHelp = R"(Print the versions of walcat and of the libpq in use.
Usage: walcat version
)";

inline constexpr const char* kSnapshotHelp =
    R"(Print the rows of tables as op r: here and now, or between the changes of a running walcat.
Usage: walcat snapshot [OPTIONS]

With --tables, and a walcat that follows the slot: asks it, by a logical message, to read these
tables between the changes, in chunks and without a lock; waits until that is done. The rows come
on its output. Needs a primary key in each table, and PostgreSQL 14.

Otherwise, or with --dump: prints the rows here, as of one moment. Needs no slot and leaves none
behind; a running walcat is not disturbed. Tables are read by snapshot.workers connections, in
chunks of snapshot.chunk_size; SELECT on them is enough.

Options:
  --tables SCHEMA.TABLE,..    Tables to print (default: those that are followed)
  --where SQL                 Only rows for which this holds, in each of the tables
  --database NAME             The entry of the configuration, where there are several
  --dump                      Print here, whoever follows the slot
  --dry-run                   Print what a dump would read, and read nothing
  -c,--config FILE            Configuration file (default: config.yaml)
  --set KEY=VALUE             Override a key of the file; repeatable
  --log-level, --log-format   As in walcat --help

Of a running walcat:
  --rate N                    At most N rows a second (default: as fast as it goes)
  --no-wait                   Leave once the running walcat has accepted
  --timeout N                 Leave after N seconds (default: a minute after the last walcat did)
  --pause, --resume, --cancel What was asked for before, all of it

Exit status: as in walcat --help; 69 when the running walcat refuses, with its reason; 75 when there
was no end in time: what was accepted goes on.
)";

inline constexpr const char* kCaptureHelp = R"(Record what the databases send, without printing it.
Usage: walcat capture [OPTIONS]
       walcat capture info [--json] FILE..
       walcat capture verify FILE..

Follows the databases of the configuration as walcat does, and keeps the frames as they come in a
file: with database, position and time of receipt, in blocks with checksums. It is appended to, and
readable while it grows and after a crash. A position is confirmed to the server once the file is
on disk. Offset files are those of the configuration: a slot is followed by one walcat.
Values are kept as they are: masks and filters of the configuration apply when it is replayed.
To record beside printing, set output.capture.path in the configuration.

info prints what files hold; verify reads them to their end and says whether they are whole.

Options:
  -o,--output FILE            The capture (default: output.capture.path of the configuration)
  --zstd                      Compress it
  --rotate SIZE               Begin another file after this size: name.000001.wcap, ..
  -c,--config, --set, --until-lsn, --until-caught-up, --on-gap, --log-level, --log-format
                              As in walcat --help

Exit status: as in walcat --help; verify: 0 if every file is whole, 69 if one is damaged.
)";

inline constexpr const char* kReplayHelp = R"(Print what captures hold, as if it came now.
Usage: walcat replay [OPTIONS] FILE..

The lines are those that following the databases gave, or would have given with these output
options, byte for byte. Files of one stream are parts of one recording and are played in the order
given; different streams play side by side. Connects to nothing.

Tempo (of all databases together):
  --max                       As fast as the output takes it (the default)
  --rate N[/s]                N changes a second
  --speed X                   X times as fast as it was recorded; 1.0: as it was
  --loop N                    N times in a row; 0: until stopped

What is played:
  --databases NAME,..         Only these databases (or labels)
  --tables SCHEMA.TABLE,..    Only these tables
  --from-lsn X/X              Only transactions that commit at or after this position
  --to-lsn X/X                Only transactions that commit before it
  --max-changes N             Stop after this many changes

Output:
  -c,--config FILE            Configuration; its output section holds, on_poison (dead letters are left
                              out), on_lost_rule, and of an entry of databases with the slot of a stream
                              what selects and masks. Default: config.yaml, or the defaults if there is none
  --set KEY=VALUE             Override a key of the file; repeatable
  --report FILE               Leave the rate achieved and the delays as JSON; - for stderr
  --stop-after ROOM           Drop everything behind reader, decoder or serializer: to measure them
  --log-level, --log-format   As in walcat --help

At the end a table on stderr tells rate and delays: from when a change was due (with --max, read)
until the output had its line.

Exit status: as in walcat --help; 69 if a capture can't be read, or is damaged inside.
)";

}  // namespace walcat
