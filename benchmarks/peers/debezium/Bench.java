import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * Drains a slot by Debezium's embedded engine and prints the value of each event as one line.
 *
 * <p>One argument, JSON: see Target.as_json in benchmarks/clients.py. When as many changes as it says are printed,
 * stderr gets {"end": seconds since 1970, "changes": .., "bytes": ..}. The engine goes by the settings that make it fast
 * rather than by its defaults; DEFAULTS=1 in the environment leaves those out.
 */
public final class Bench {
    private static final int BLOCK_BYTES = 1 << 20;
    private static final String NAME = "bench";
    private static final String PREFIX = "t";

    private final long wanted;
    private final byte[] block = new byte[BLOCK_BYTES];
    private final OutputStream out = new FileOutputStream(FileDescriptor.out);
    private int waiting;
    private long changes;
    private long bytes;

    private Bench(long wanted) {
        this.wanted = wanted;
    }

    public static void main(String[] arguments) throws Exception {
        JsonNode target = new ObjectMapper().readTree(arguments[0]);
        Path offsets = Path.of("offsets").toAbsolutePath();
        writeOffset(offsets, target.get("begin").asText());
        Bench bench = new Bench(target.get("changes").asLong());
        try (DebeziumEngine<ChangeEvent<String, String>> engine = DebeziumEngine.create(Json.class)
                .using(properties(target, offsets))
                .using((success, message, error) -> fail(message, error))
                .notifying(bench::take)
                .build()) {
            engine.run();
        }
    }

    private static Properties properties(JsonNode target, Path offsets) {
        Properties is = new Properties();
        is.setProperty("name", NAME);
        is.setProperty("connector.class", "io.debezium.connector.postgresql.PostgresConnector");
        is.setProperty("topic.prefix", PREFIX);
        is.setProperty("database.hostname", target.get("host").asText());
        is.setProperty("database.port", target.get("port").asText());
        is.setProperty("database.user", target.get("user").asText());
        is.setProperty("database.password", target.get("password").asText());
        is.setProperty("database.dbname", target.get("database").asText());
        is.setProperty("plugin.name", "pgoutput");
        is.setProperty("slot.name", target.get("slot").asText());
        is.setProperty("publication.name", target.get("publication").asText());
        is.setProperty("publication.autocreate.mode", "disabled");
        is.setProperty("snapshot.mode", "no_data");
        is.setProperty("tombstones.on.delete", "false");
        is.setProperty("offset.storage", "org.apache.kafka.connect.storage.FileOffsetBackingStore");
        is.setProperty("offset.storage.file.filename", offsets.toString());
        is.setProperty("offset.flush.interval.ms", "1000");
        is.setProperty("converter.schemas.enable", "false");
        if (System.getenv("DEFAULTS") == null) {
            is.setProperty("poll.interval.ms", "10");
            is.setProperty("max.batch.size", "8192");
            is.setProperty("max.queue.size", "65536");
            is.setProperty("record.processing.threads", "AVAILABLE_CORES");
        }
        return is;
    }

    /** As if an earlier run had come to the slot's position: without, the engine would begin at the log's end. */
    private static void writeOffset(Path file, String begin) throws IOException {
        String[] halves = begin.split("/");
        long lsn = Long.parseLong(halves[0], 16) << 32 | Long.parseLong(halves[1], 16);
        String value = "{\"lsn\":" + lsn + ",\"lsn_proc\":" + lsn + ",\"lsn_commit\":" + lsn
                + ",\"txId\":1,\"ts_usec\":" + System.currentTimeMillis() * 1000 + "}";
        Map<byte[], byte[]> offsets = new HashMap<>();
        offsets.put(utf8("[\"" + NAME + "\",{\"server\":\"" + PREFIX + "\"}]"), utf8(value));
        try (ObjectOutputStream stream = new ObjectOutputStream(Files.newOutputStream(file))) {
            stream.writeObject(offsets);
        }
    }

    private void take(List<ChangeEvent<String, String>> events,
            DebeziumEngine.RecordCommitter<ChangeEvent<String, String>> committer) throws InterruptedException {
        try {
            for (ChangeEvent<String, String> event : events) {
                print(event.value());
                committer.markProcessed(event);
            }
            write();
        } catch (IOException error) {
            fail("stdout", error);
        }
        committer.markBatchFinished();
        if (changes >= wanted) {
            System.err.println("\n{\"end\":" + System.currentTimeMillis() / 1000.0 + ",\"changes\":" + changes
                    + ",\"bytes\":" + bytes + "}");
            Runtime.getRuntime().halt(0);
        }
    }

    private void print(String line) throws IOException {
        byte[] text = utf8(line);
        if (waiting + text.length + 1 > BLOCK_BYTES) {
            write();
        }
        System.arraycopy(text, 0, block, waiting, text.length);
        waiting += text.length;
        block[waiting++] = '\n';
        changes++;
    }

    private void write() throws IOException {
        out.write(block, 0, waiting);
        bytes += waiting;
        waiting = 0;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void fail(String message, Throwable error) {
        System.err.println(message);
        if (error != null) {
            error.printStackTrace();
        }
        Runtime.getRuntime().halt(1);
    }
}
