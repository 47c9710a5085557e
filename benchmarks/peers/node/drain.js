// Drains a slot by pg-logical-replication, with its own parser of pgoutput, and prints each change as one line of JSON
// in the shape of walcat's. One argument, JSON: see Target.as_json in benchmarks/clients.py. When as many changes as it
// says are printed, stderr gets {"end": seconds since 1970, "changes": .., "bytes": ..}.

'use strict';

const fs = require('node:fs');
const { LogicalReplicationService, PgoutputPlugin } = require('pg-logical-replication');

const BLOCK_BYTES = 256 * 1024;
const OPERATIONS = { insert: 'c', update: 'u', delete: 'd' };

const target = JSON.parse(process.argv[2]);
let lines = [];
let waiting = 0;
let changes = 0;
let bytes = 0;

function write() {
  const block = Buffer.from(lines.join(''));
  for (let done = 0; done < block.length;) done += fs.writeSync(1, block, done);
  bytes += block.length;
  lines = [];
  waiting = 0;
}

function print(lsn, message) {
  const op = OPERATIONS[message.tag];
  if (op === undefined) return;
  const line = JSON.stringify({
    message: {
      before: message.old ?? message.key ?? null,
      after: message.new ?? null,
      source: { schema: message.relation.schema, table: message.relation.name, lsn },
      op,
    },
  });
  lines.push(line, '\n');
  waiting += line.length + 1;
  changes += 1;
  if (waiting >= BLOCK_BYTES) write();
  if (changes === target.changes) end();
}

function end() {
  write();
  process.stderr.write(`${JSON.stringify({ end: Date.now() / 1000, changes, bytes })}\n`);
  process.exit(0);
}

const service = new LogicalReplicationService({
  host: target.socket,
  port: target.port,
  user: target.user,
  database: target.database,
  // It answers every message otherwise, which costs it more than all else.
}, { acknowledge: { auto: false, timeoutSeconds: 10 } });
service.on('data', print);
service.on('error', (error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
service.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: [target.publication] }), target.slot);
