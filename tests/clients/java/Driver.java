import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** Apache Kafka's own Java client. The contract is ../README.md. */
public final class Driver {
    /** A driver that cannot finish within this time says so instead of hanging its test. */
    private static final int DEADLINE_MS = 120_000;

    private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 20);
    private final BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), 1 << 20);

    public static void main(String[] args) throws Exception {
        Map<String, List<String>> options = new HashMap<>();
        for (int i = 1; i + 1 < args.length; i += 2) {
            options.computeIfAbsent(args[i], name -> new ArrayList<>()).add(args[i + 1]);
        }
        Driver driver = new Driver();
        switch (args.length == 0 ? "" : args[0]) {
            case "version" -> driver.out.write("kafka-clients " + AppInfoParser.getVersion() + "\n");
            case "create" -> driver.create(
                one(options, "--bootstrap"), options.get("--topic"), Integer.parseInt(one(options, "--partitions")));
            case "produce" -> driver.produce(
                one(options, "--bootstrap"), one(options, "--codec"), one(options, "--idempotent"));
            case "consume" -> driver.consume(one(options, "--bootstrap"), options.get("--topic"));
            case "settings" -> driver.settings(one(options, "--bootstrap"), one(options, "--topic"));
            default -> {
                System.err.println("usage: Driver version|create|produce|consume|settings [--option value]...");
                System.exit(2);
            }
        }
        driver.out.flush();
    }

    private static String one(Map<String, List<String>> options, String name) {
        List<String> values = options.get(name);
        if (values == null || values.size() != 1) {
            throw new IllegalArgumentException(name + " is needed once");
        }
        return values.get(0);
    }

    private void create(String bootstrap, List<String> topics, int partitions) throws Exception {
        List<NewTopic> newTopics = topics.stream().map(name -> new NewTopic(name, partitions, (short) 1)).toList();
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin.createTopics(newTopics).all().get(60, TimeUnit.SECONDS);
        }
    }

    private void settings(String bootstrap, String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            Node node = admin.describeCluster().nodes().get(60, TimeUnit.SECONDS).iterator().next();
            ConfigResource ofTopic = new ConfigResource(ConfigResource.Type.TOPIC, topic);
            ConfigResource ofBroker = new ConfigResource(ConfigResource.Type.BROKER, node.idString());
            for (ConfigResource resource : List.of(ofTopic, ofBroker)) {
                alter(admin, resource, describe(admin, resource).entries().stream()
                    .filter(entry -> !entry.isReadOnly() && entry.value() != null).toList());
            }
            alter(admin, ofTopic, List.of(new ConfigEntry("max.message.bytes", "4242")));
            for (ConfigEntry entry : describe(admin, ofTopic).entries()) {
                out.write(entry.name() + "\t" + entry.value() + "\t" + entry.source() + "\n");
            }
        }
    }

    private static Config describe(Admin admin, ConfigResource resource) throws Exception {
        return admin.describeConfigs(List.of(resource)).all().get(60, TimeUnit.SECONDS).get(resource);
    }

    private static void alter(Admin admin, ConfigResource resource, List<ConfigEntry> entries) throws Exception {
        List<AlterConfigOp> changes = entries.stream().map(entry -> new AlterConfigOp(entry, AlterConfigOp.OpType.SET)).toList();
        admin.incrementalAlterConfigs(Map.of(resource, changes)).all().get(60, TimeUnit.SECONDS);
    }

    private void produce(String bootstrap, String codec, String idempotent) throws Exception {
        Map<String, Object> config = Map.of(
            "bootstrap.servers", bootstrap,
            "compression.type", codec,
            "enable.idempotence", idempotent,
            "acks", "all",
            "batch.size", 128 * 1024,
            "linger.ms", 20,
            "delivery.timeout.ms", DEADLINE_MS);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                sent.add(producer.send(readRecord(line)));
            }
            producer.flush();
            for (Future<RecordMetadata> future : sent) {
                RecordMetadata place = future.get(DEADLINE_MS, TimeUnit.MILLISECONDS);
                out.write(place.partition() + "\t" + place.offset() + "\n");
            }
        }
    }

    private void consume(String bootstrap, List<String> topics) throws IOException {
        Map<String, Object> config = Map.of(
            "bootstrap.servers", bootstrap,
            "enable.auto.commit", "false",
            "auto.offset.reset", "none",
            "fetch.max.wait.ms", 100,
            "max.poll.records", 5000);
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> assigned = new ArrayList<>();
            for (String topic : topics) {
                for (PartitionInfo partition : consumer.partitionsFor(topic)) {
                    assigned.add(new TopicPartition(topic, partition.partition()));
                }
            }
            consumer.assign(assigned);
            consumer.seekToBeginning(assigned);
            Map<TopicPartition, Long> ends = consumer.endOffsets(assigned);
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MS);
            while (assigned.stream().anyMatch(tp -> consumer.position(tp) < ends.get(tp))) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("the end was not reached");
                }
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    writeRecord(record);
                }
            }
        }
    }

    private static ProducerRecord<byte[], byte[]> readRecord(String line) {
        String[] fields = line.split("\t", -1);
        List<Header> headers = new ArrayList<>();
        for (int i = 6; i < fields.length; i += 2) {
            headers.add(new RecordHeader(new String(readBytes(fields[i]), StandardCharsets.UTF_8), readBytes(fields[i + 1])));
        }
        Integer partition = fields[1].equals("-") ? null : Integer.valueOf(fields[1]);
        return new ProducerRecord<>(
            fields[0], partition, Long.valueOf(fields[3]), readBytes(fields[4]), readBytes(fields[5]), headers);
    }

    private void writeRecord(ConsumerRecord<byte[], byte[]> record) throws IOException {
        StringBuilder line = new StringBuilder()
            .append(record.topic()).append('\t')
            .append(record.partition()).append('\t')
            .append(record.offset()).append('\t')
            .append(record.timestamp()).append('\t')
            .append(writeBytes(record.key())).append('\t')
            .append(writeBytes(record.value()));
        for (Header header : record.headers()) {
            line.append('\t').append(writeBytes(header.key().getBytes(StandardCharsets.UTF_8)));
            line.append('\t').append(writeBytes(header.value()));
        }
        out.append(line.append('\n'));
    }

    private static byte[] readBytes(String field) {
        return field.equals("-") ? null : Base64.getDecoder().decode(field);
    }

    private static String writeBytes(byte[] data) {
        return data == null ? "-" : Base64.getEncoder().encodeToString(data);
    }
}
