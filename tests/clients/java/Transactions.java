import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Transactions as Apache Kafka's own Java client sees them. The contract is ../README.md, "Transactions". */
public final class Transactions {
    private static final long DEADLINE_MS = 60_000;
    private static final int RECORDS = 200;

    private final String bootstrap;

    private Transactions(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    public static void main(String[] args) throws Exception {
        if (!args[0].equals("scenarios")) {
            throw new IllegalArgumentException(args[0]);
        }
        Transactions transactions = new Transactions(args[1]);
        transactions.commitsAndAborts();
        transactions.offsetsInTransactions();
        transactions.aZombieIsFenced();
        System.out.println("ran to its end");
    }

    private void create(String... topics) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            List<NewTopic> wanted = new ArrayList<>();
            for (String topic : topics) {
                wanted.add(new NewTopic(topic, 3, (short) 1));
            }
            admin.createTopics(wanted).all().get(DEADLINE_MS, TimeUnit.MILLISECONDS);
        }
    }

    private KafkaProducer<String, String> producer(String transactionalId) {
        KafkaProducer<String, String> made = new KafkaProducer<>(Map.of(
            "bootstrap.servers", bootstrap,
            "transactional.id", transactionalId,
            "key.serializer", StringSerializer.class,
            "value.serializer", StringSerializer.class));
        made.initTransactions();
        return made;
    }

    private KafkaConsumer<String, String> consumer(String group) {
        return new KafkaConsumer<>(Map.of(
            "bootstrap.servers", bootstrap,
            "group.id", group,
            "auto.offset.reset", "earliest",
            "enable.auto.commit", false,
            "isolation.level", "read_committed",
            "key.deserializer", StringDeserializer.class,
            "value.deserializer", StringDeserializer.class));
    }

    /** What a reader of committed records finds, until it has so many and nothing comes after them. */
    private List<String> values(String topic, int count) {
        List<String> found = new ArrayList<>();
        try (KafkaConsumer<String, String> reader = consumer("reader-" + topic)) {
            List<TopicPartition> partitions =
                IntStream.range(0, 3).mapToObj(number -> new TopicPartition(topic, number)).toList();
            reader.assign(partitions);
            reader.seekToBeginning(partitions);
            long deadline = System.currentTimeMillis() + DEADLINE_MS;
            for (int quiet = 0; System.currentTimeMillis() < deadline && (found.size() < count || quiet < 3); quiet++) {
                for (ConsumerRecord<String, String> record : reader.poll(Duration.ofMillis(300))) {
                    found.add(record.value());
                    quiet = 0;
                }
            }
        }
        Collections.sort(found);
        return found;
    }

    private static void expect(List<String> found, List<String> expected) {
        List<String> sorted = new ArrayList<>(expected);
        Collections.sort(sorted);
        if (!found.equals(sorted)) {
            throw new IllegalStateException("found " + found + " and not " + sorted);
        }
    }

    private void commitsAndAborts() throws Exception {
        create("java-plain");
        List<String> kept = new ArrayList<>();
        try (KafkaProducer<String, String> sender = producer("java-plain");
             Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            for (int number = 0; number < 12; number++) {
                sender.beginTransaction();
                List<String> batch = new ArrayList<>();
                for (int index = 0; index < 5; index++) {
                    batch.add(number + "-" + index);
                    sender.send(new ProducerRecord<>("java-plain", index % 3, null, number + "-" + index));
                }
                if (number % 3 == 1) {
                    sender.flush();
                    String state = admin.describeTransactions(List.of("java-plain")).description("java-plain")
                        .get(DEADLINE_MS, TimeUnit.MILLISECONDS).state().toString();
                    if (!state.equals(TransactionState.ONGOING.toString())) {
                        throw new IllegalStateException(state);
                    }
                    sender.abortTransaction();
                } else {
                    sender.commitTransaction();
                    kept.addAll(batch);
                }
            }
        }
        expect(values("java-plain", kept.size()), kept);
        System.out.println("commits are read, aborts are not");
    }

    private void offsetsInTransactions() throws Exception {
        create("java-in", "java-out");
        List<String> all = new ArrayList<>();
        try (KafkaProducer<String, String> feed = new KafkaProducer<>(Map.of(
                "bootstrap.servers", bootstrap,
                "key.serializer", StringSerializer.class,
                "value.serializer", StringSerializer.class))) {
            for (int number = 0; number < RECORDS; number++) {
                all.add(String.valueOf(number));
                feed.send(new ProducerRecord<>("java-in", number % 3, null, String.valueOf(number)));
            }
        }
        int done = 0;
        int round = 0;
        long deadline = System.currentTimeMillis() + DEADLINE_MS;
        while (done < RECORDS) {
            // A new process every time: what it goes on from is what was committed.
            try (KafkaConsumer<String, String> worker = consumer("java-group");
                 KafkaProducer<String, String> sender = producer("java-copy")) {
                worker.subscribe(List.of("java-in"));
                for (boolean goOn = true; goOn && done < RECORDS;) {
                    if (System.currentTimeMillis() > deadline) {
                        throw new IllegalStateException(done + " of " + RECORDS + " after " + round + " rounds");
                    }
                    ConsumerRecords<String, String> records = worker.poll(Duration.ofMillis(300));
                    if (records.isEmpty()) {
                        continue;
                    }
                    sender.beginTransaction();
                    Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
                    for (ConsumerRecord<String, String> record : records) {
                        sender.send(new ProducerRecord<>("java-out", record.partition(), null, record.value()));
                        positions.put(new TopicPartition(record.topic(), record.partition()),
                            new OffsetAndMetadata(record.offset() + 1));
                    }
                    sender.sendOffsetsToTransaction(positions, worker.groupMetadata());
                    round++;
                    if (round % 2 == 1) {
                        sender.abortTransaction();
                        goOn = false;
                    } else {
                        sender.commitTransaction();
                        done += records.count();
                    }
                }
            }
        }
        expect(values("java-out", RECORDS), all);
        System.out.println("every record was copied once");
    }

    private void aZombieIsFenced() throws Exception {
        create("java-fence");
        try (KafkaProducer<String, String> zombie = producer("java-fence")) {
            zombie.beginTransaction();
            zombie.send(new ProducerRecord<>("java-fence", 0, null, "lost"));
            zombie.flush();
            try (KafkaProducer<String, String> heir = producer("java-fence")) {
                try {
                    zombie.commitTransaction();
                    throw new IllegalStateException("the zombie has committed");
                } catch (ProducerFencedException | InvalidProducerEpochException fenced) {
                    heir.beginTransaction();
                    heir.send(new ProducerRecord<>("java-fence", 0, null, "kept"));
                    heir.commitTransaction();
                }
            }
        }
        expect(values("java-fence", 1), List.of("kept"));
        System.out.println("a zombie is fenced");
    }
}
