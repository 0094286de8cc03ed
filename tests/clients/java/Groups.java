import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** What members of a group see, with Apache Kafka's own Java client. The contract is ../README.md, "Groups". */
public final class Groups {
    private static final long DEADLINE_MS = 60_000;
    private static final String COOPERATIVE = "org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    private static final String RANGE = "org.apache.kafka.clients.consumer.RangeAssignor";

    private final String bootstrap;

    private Groups(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    public static void main(String[] args) throws Exception {
        Groups groups = new Groups(args[1]);
        switch (args[0]) {
            case "scenarios" -> groups.scenarios();
            case "member" -> groups.member(args[2], args[3]);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    /** A member on a thread of its own, and what it has seen. */
    private final class Member implements ConsumerRebalanceListener {
        private final KafkaConsumer<String, String> consumer;
        private final Thread thread = new Thread(this::poll);
        private final Set<TopicPartition> owned = Collections.synchronizedSet(new HashSet<>());
        private final List<TopicPartition> revoked = Collections.synchronizedList(new ArrayList<>());
        private final List<String> read = Collections.synchronizedList(new ArrayList<>());
        private volatile int assignments;
        private volatile boolean stop;
        private volatile Exception failure;

        Member(String group, String assignor, String instance) {
            Map<String, Object> config = new HashMap<>(Map.of(
                "bootstrap.servers", bootstrap,
                "group.id", group,
                "auto.offset.reset", "earliest",
                "enable.auto.commit", "false",
                "partition.assignment.strategy", assignor,
                "heartbeat.interval.ms", 300,
                "session.timeout.ms", 10_000,
                "metadata.max.age.ms", 500));
            if (instance != null) {
                config.put("group.instance.id", instance);
            }
            consumer = new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
        }

        Member subscribe(String topic) {
            consumer.subscribe(List.of(topic), this);
            thread.start();
            return this;
        }

        Member subscribe(Pattern pattern) {
            consumer.subscribe(pattern, this);
            thread.start();
            return this;
        }

        private void poll() {
            try (consumer) {
                while (!stop) {
                    boolean any = false;
                    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                        read.add(record.topic() + "-" + record.partition() + ":" + record.offset());
                        any = true;
                    }
                    if (any) {
                        consumer.commitSync();
                    }
                }
            } catch (Exception error) {
                failure = error;
            }
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            owned.removeAll(partitions);
            revoked.addAll(partitions);
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            owned.addAll(partitions);
            assignments++;
        }

        void close() throws Exception {
            stop = true;
            thread.join(DEADLINE_MS);
            if (failure != null) {
                throw failure;
            }
        }
    }

    private void scenarios() throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            membersShare(admin, "eager", RANGE);
            membersShare(admin, "cooperative", COOPERATIVE);
            staticMembersComeBack(admin);
            topicsAndPartitionsAreNoticed(admin);
        }
        System.out.println("ran to its end");
    }

    private void membersShare(Admin admin, String name, String assignor) throws Exception {
        String topic = "java-" + name;
        create(admin, topic, 6);
        Member first = new Member(topic, assignor, null).subscribe(topic);
        await(name + ": the first member has all", () -> first.owned.size() == 6);
        Member second = new Member(topic, assignor, null).subscribe(topic);
        await(name + ": each has its half", () -> first.owned.size() == 3 && second.owned.size() == 3);
        expect(Collections.disjoint(first.owned, second.owned), "no partition has two owners");
        int expected = assignor.equals(COOPERATIVE) ? 3 : 6;
        expect(first.revoked.size() == expected, name + ": " + first.revoked + " were revoked");
        write(topic, 120);
        await(name + ": all is read", () -> first.read.size() + second.read.size() == 120);
        Set<String> read = new HashSet<>(first.read);
        read.addAll(second.read);
        expect(read.size() == 120, "each record is read once");
        first.close();
        await(name + ": the second member takes over", () -> second.owned.size() == 6);
        second.close();
        write(topic, 30);
        Member third = new Member(topic, assignor, null).subscribe(topic);
        await(name + ": a later member goes on", () -> third.read.size() == 30);
        third.close();
        expect(Collections.disjoint(read, third.read), "what was committed is not read again");
        System.out.println("members share: " + name);
    }

    private void staticMembersComeBack(Admin admin) throws Exception {
        create(admin, "java-static", 4);
        Member one = new Member("java-static", RANGE, "one").subscribe("java-static");
        Member two = new Member("java-static", RANGE, "two").subscribe("java-static");
        await("static members share", () -> one.owned.size() == 2 && two.owned.size() == 2);
        Set<TopicPartition> before = new HashSet<>(two.owned);
        int assignments = one.assignments;
        two.close();
        Member again = new Member("java-static", RANGE, "two").subscribe("java-static");
        await("the static member is back", () -> again.owned.size() == 2);
        expect(again.owned.equals(before), "it has what it had: " + before + ", now " + again.owned);
        expect(one.assignments == assignments && one.owned.size() == 2, "the other was left alone");
        again.close();
        one.close();
        System.out.println("static members come back");
    }

    private void topicsAndPartitionsAreNoticed(Admin admin) throws Exception {
        create(admin, "java-grow-1", 1);
        Member member = new Member("java-grow", COOPERATIVE, null).subscribe(Pattern.compile("java-grow-.*"));
        await("the topic that matches", () -> member.owned.size() == 1);
        create(admin, "java-grow-2", 2);
        await("a topic made later", () -> member.owned.size() == 3);
        admin.createPartitions(Map.of("java-grow-1", NewPartitions.increaseTo(4))).all().get(60, TimeUnit.SECONDS);
        await("partitions added later", () -> member.owned.size() == 6);
        member.close();
        System.out.println("topics and partitions are noticed");
    }

    /** A member of a group of several clients: prints what it owns whenever that changes, until standard input ends. */
    private void member(String group, String topic) throws Exception {
        Member member = new Member(group, RANGE, null).subscribe(topic);
        Thread told = new Thread(() -> {
            try {
                System.in.readAllBytes();
            } catch (IOException error) {
                // An input that breaks off has ended as well.
            }
        });
        told.setDaemon(true);
        told.start();
        Set<Integer> printed = new TreeSet<>();
        while (told.isAlive()) {
            Set<Integer> owned = new TreeSet<>();
            synchronized (member.owned) {
                member.owned.forEach(partition -> owned.add(partition.partition()));
            }
            if (!owned.equals(printed)) {
                System.out.println("owns " + owned);
                printed = owned;
            }
            Thread.sleep(50);
        }
        member.close();
    }

    private void create(Admin admin, String topic, int partitions) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1))).all().get(60, TimeUnit.SECONDS);
    }

    private void write(String topic, int records) {
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap);
        try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
            for (int number = 0; number < records; number++) {
                producer.send(new ProducerRecord<>(topic, number % 6, null, "value " + number));
            }
        }
    }

    private static void await(String what, BooleanSupplier done) throws Exception {
        long deadline = System.currentTimeMillis() + DEADLINE_MS;
        while (!done.getAsBoolean()) {
            expect(System.currentTimeMillis() < deadline, "in vain: " + what);
            Thread.sleep(20);
        }
    }

    private static void expect(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
