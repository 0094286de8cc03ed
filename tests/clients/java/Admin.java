import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.ConfigResource.Type;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Everything that Java's AdminClient can ask of a broker, one line for each thing seen. The contract is ../README.md. */
public final class Admin {
    private static org.apache.kafka.clients.admin.Admin admin;
    private static String bootstrap;
    private static String broker;
    private static final TopicPartition FIRST = new TopicPartition("orders", 0);
    private static final TopicPartition SECOND = new TopicPartition("orders", 1);
    private static final TopicPartition ABSENT = new TopicPartition("absent", 0);

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        try (var client = org.apache.kafka.clients.admin.Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            admin = client;
            broker = get(admin.describeCluster().controller()).idString();
            topics();
            partitions();
            records();
            largeRecords();
            configs();
            cluster();
            producers();
            groups();
            deletions();
        }
    }

    private static <T> T get(KafkaFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }

    /** Prints what the call gives, or the error that it ends with; this machine's own names are left out. */
    private static void see(String what, Callable<?> call) throws Exception {
        String seen;
        try {
            Object value = call.call();
            seen = value == null ? "done" : value.toString();
        } catch (ExecutionException e) {
            seen = e.getCause().getClass().getSimpleName() + ": " + e.getCause().getMessage();
        } catch (RuntimeException e) {
            seen = "the client fails: " + e;
        }
        System.out.println(what + "\t" + seen.replace("\n", " "));
    }

    private static NewTopic topic(String name, int partitions, int replicas) {
        return new NewTopic(name, partitions, (short) replicas);
    }

    private static String created(NewTopic topic, boolean validateOnly) throws Exception {
        CreateTopicsResult result = admin.createTopics(List.of(topic), new CreateTopicsOptions().validateOnly(validateOnly));
        String seen = get(result.numPartitions(topic.name())) + " partitions, " + get(result.replicationFactor(topic.name())) + " replicas";
        String set = get(result.config(topic.name())).entries().stream()
            .filter(e -> e.source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG)
            .map(e -> e.name() + "=" + e.value()).sorted().collect(Collectors.joining(" "));
        boolean named = !get(result.topicId(topic.name())).equals(Uuid.ZERO_UUID);
        return seen + ", set: [" + set + "], " + (named ? "with an id" : "without an id");
    }

    private static void topics() throws Exception {
        NewTopic orders = topic("orders", 2, 1).configs(Map.of("retention.ms", "-1", "cleanup.policy", "compact"));
        see("create, validate only", () -> created(orders, true));
        see("create", () -> created(orders, false));
        see("create, already there", () -> created(orders, false));
        see("create, only validate what is already there", () -> created(orders, true));
        see("create, defaults", () -> created(new NewTopic("defaults", Optional.empty(), Optional.empty()), false));
        see("create, assigned by hand", () -> created(new NewTopic("assigned", Map.of(0, List.of(Integer.valueOf(broker)))), false));
        see("create, 3 replicas", () -> created(topic("bad", 1, 3), false));
        see("create, 0 replicas", () -> created(topic("bad", 1, 0), false));
        see("create, 0 partitions", () -> created(topic("bad", 0, 1), false));
        see("create, a name with a space", () -> created(topic("a b", 1, 1), false));
        see("create, an empty name", () -> created(topic("", 1, 1), false));
        see("create, a name of dots", () -> created(topic("..", 1, 1), false));
        see("create, a name of 250 letters", () -> created(topic("a".repeat(250), 1, 1), false));
        see("create, a name that collides", () -> {
            created(topic("a.b", 1, 1), false);
            return created(topic("a_b", 1, 1), false);
        });
        see("create, an unknown config", () -> created(topic("bad", 1, 1).configs(Map.of("no.such", "1")), false));
        see("create, a bad value", () -> created(topic("bad", 1, 1).configs(Map.of("retention.ms", "soon")), false));
        see("create, a value out of range", () -> created(topic("bad", 1, 1).configs(Map.of("segment.bytes", "3")), false));
        see("create, a null value", () -> created(topic("bad", 1, 1).configs(Collections.singletonMap("retention.ms", null)), false));
        see("create, on an unknown broker", () -> created(new NewTopic("bad", Map.of(0, List.of(99))), false));
        see("create, twice the same broker", () ->
            created(new NewTopic("bad", Map.of(0, List.of(Integer.valueOf(broker), Integer.valueOf(broker)))), false));
        see("create, partitions from 1", () -> created(new NewTopic("bad", Map.of(1, List.of(Integer.valueOf(broker)))), false));
        see("create, without replicas", () -> created(new NewTopic("bad", Map.of(0, List.of())), false));
        see("list", () -> get(admin.listTopics().names()).stream().sorted().toList());
        see("describe", () -> {
            TopicDescription seen = get(admin.describeTopics(List.of("orders")).allTopicNames()).get("orders");
            return seen.name() + " " + seen.isInternal() + " " + seen.partitions().size() + " "
                + (seen.partitions().get(1).leader().idString().equals(broker)) + " isr " + seen.partitions().get(1).isr().size()
                + " elr " + seen.partitions().get(1).elr() + " last " + seen.partitions().get(1).lastKnownElr()
                + " operations " + seen.authorizedOperations();
        });
        see("describe with operations", () -> new java.util.TreeSet<>(get(admin.describeTopics(List.of("orders"),
            new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames()).get("orders").authorizedOperations()));
        see("describe by id", () -> {
            Uuid id = get(admin.describeTopics(List.of("orders")).allTopicNames()).get("orders").topicId();
            return get(admin.describeTopics(TopicCollection.ofTopicIds(List.of(id))).allTopicIds()).get(id).name();
        });
        see("describe, unknown name", () -> get(admin.describeTopics(List.of("absent")).allTopicNames()));
        see("describe, bad name", () -> get(admin.describeTopics(List.of("a b")).allTopicNames()));
        see("describe, unknown id", () -> get(admin.describeTopics(
            TopicCollection.ofTopicIds(List.of(Uuid.fromString("AAAAAAAAAAAAAAAAAAAAQQ")))).allTopicIds()));
    }

    private static Object more(String topic, NewPartitions to, boolean validateOnly) throws Exception {
        return get(admin.createPartitions(Map.of(topic, to), new CreatePartitionsOptions().validateOnly(validateOnly)).all());
    }

    private static void partitions() throws Exception {
        see("3 partitions, validate only", () -> more("orders", NewPartitions.increaseTo(3), true));
        see("3 partitions", () -> more("orders", NewPartitions.increaseTo(3), false));
        see("3 partitions again", () -> more("orders", NewPartitions.increaseTo(3), false));
        see("2 partitions", () -> more("orders", NewPartitions.increaseTo(2), false));
        see("0 partitions", () -> more("orders", NewPartitions.increaseTo(0), false));
        see("partitions of an absent topic", () -> more("absent", NewPartitions.increaseTo(2), false));
        see("partitions on an unknown broker", () -> more("orders", NewPartitions.increaseTo(4, List.of(List.of(99))), false));
        see("more assignments than partitions", () ->
            more("orders", NewPartitions.increaseTo(4, List.of(List.of(Integer.valueOf(broker)), List.of(Integer.valueOf(broker)))), false));
        see("partitions seen", () -> get(admin.describeTopics(List.of("orders")).allTopicNames()).get("orders").partitions().size());
    }

    private static ListOffsetsResult.ListOffsetsResultInfo offset(TopicPartition at, OffsetSpec spec) throws Exception {
        return get(admin.listOffsets(Map.of(at, spec)).partitionResult(at));
    }

    private static Object delete(TopicPartition of, long before) throws Exception {
        return get(admin.deleteRecords(Map.of(of, RecordsToDelete.beforeOffset(before))).lowWatermarks().get(of)).lowWatermark();
    }

    private static void records() throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "linger.ms", 0, "max.in.flight.requests.per.connection", 1);
        TopicPartition plain = new TopicPartition("defaults", 0);
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int i = 0; i < 10; i++) {
                producer.send(new ProducerRecord<>("defaults", 0, 1_000_000_000_000L + (i == 5 ? 99 : i), new byte[] {(byte) i}, new byte[9])).get();
                producer.send(new ProducerRecord<>("orders", 0, null, new byte[] {(byte) i}, new byte[9])).get();
            }
        }
        see("earliest", () -> offset(plain, OffsetSpec.earliest()));
        see("latest", () -> offset(plain, OffsetSpec.latest()));
        see("of a timestamp", () -> offset(plain, OffsetSpec.forTimestamp(1_000_000_000_003L)));
        see("of a timestamp beyond the last", () -> offset(plain, OffsetSpec.forTimestamp(1_000_000_001_000L)));
        see("of the largest timestamp", () -> offset(plain, OffsetSpec.maxTimestamp()));
        see("earliest local", () -> offset(plain, OffsetSpec.earliestLocal()));
        see("latest tiered", () -> offset(plain, OffsetSpec.latestTiered()));
        see("earliest pending upload", () -> offset(plain, OffsetSpec.earliestPendingUpload()));
        see("latest, read committed", () -> get(admin.listOffsets(Map.of(plain, OffsetSpec.latest()),
            new ListOffsetsOptions(org.apache.kafka.common.IsolationLevel.READ_COMMITTED)).partitionResult(plain)));
        see("delete records", () -> delete(plain, 4));
        see("delete records, below the start", () -> delete(plain, 2));
        see("delete records, beyond the end", () -> delete(plain, 11));
        see("delete records, negative", () -> delete(plain, -2));
        see("delete records of a compacted topic", () -> delete(FIRST, 2));
        see("earliest, after", () -> offset(plain, OffsetSpec.earliest()));
        see("delete all records", () -> delete(plain, -1));
        see("largest timestamp of nothing", () -> offset(plain, OffsetSpec.maxTimestamp()));
    }

    /** Batches and records that are larger than their topic takes. */
    private static void largeRecords() throws Exception {
        created(topic("small", 1, 1).configs(Map.of("max.message.bytes", "2000")), false);
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "linger.ms", 1000, "batch.size", 16384);
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            see("a batch too large", () -> {
                var sent = java.util.stream.IntStream.range(0, 50).mapToObj(i ->
                    producer.send(new ProducerRecord<>("small", 0, new byte[] {(byte) i}, new byte[100]))).toList();
                producer.flush();
                for (var future : sent) {
                    future.get();
                }
                return sent.size() + " records written";
            });
            see("a record too large", () -> {
                var sent = producer.send(new ProducerRecord<>("small", 0, new byte[1], new byte[3000]));
                producer.flush();
                return sent.get();
            });
        }
        see("records of batches too large", () -> offset(new TopicPartition("small", 0), OffsetSpec.latest()).offset());
        get(admin.deleteTopics(List.of("small")).all());
    }

    private static Config described(ConfigResource of, boolean more) throws Exception {
        return get(admin.describeConfigs(List.of(of), new DescribeConfigsOptions().includeSynonyms(more).includeDocumentation(more)).all()).get(of);
    }

    private static String entry(ConfigResource of, String name) throws Exception {
        ConfigEntry entry = described(of, true).get(name);
        if (entry == null) {
            return "absent";
        }
        return entry.value() + " " + entry.source() + " " + entry.type() + (entry.isReadOnly() ? " read-only" : "")
            + (entry.isSensitive() ? " sensitive" : "") + " " + entry.synonyms().stream()
                .map(s -> s.source() + ":" + s.name() + "=" + s.value()).toList()
                + (entry.documentation() == null ? " undocumented" : " documented");
    }

    private static Object alter(ConfigResource of, AlterConfigOp.OpType op, String name, String value) throws Exception {
        return get(admin.incrementalAlterConfigs(Map.of(of, List.of(new AlterConfigOp(new ConfigEntry(name, value), op)))).all());
    }

    private static void altered(String who, ConfigResource of, String name, String value) throws Exception {
        see(who + ": set " + name, () -> alter(of, AlterConfigOp.OpType.SET, name, value));
        seeEventually(who + ": " + name, () -> described(of, false).get(name) == null ? "absent" : described(of, false).get(name).value(), value);
        see(who + ": whole " + name, () -> entry(of, name));
        see(who + ": delete " + name, () -> alter(of, AlterConfigOp.OpType.DELETE, name, null));
    }

    /** A broker of KRaft answers before it has put a change in force. */
    private static void seeEventually(String what, Callable<String> call, String wanted) throws Exception {
        for (int i = 0; i < 100 && !wanted.equals(call.call()); i++) {
            Thread.sleep(50);
        }
        see(what, call);
    }

    private static void configs() throws Exception {
        ConfigResource topic = new ConfigResource(Type.TOPIC, "orders");
        ConfigResource node = new ConfigResource(Type.BROKER, broker);
        ConfigResource all = new ConfigResource(Type.BROKER, "");
        ConfigResource group = new ConfigResource(Type.GROUP, "readers");
        ConfigResource metrics = new ConfigResource(Type.CLIENT_METRICS, "seen");
        for (String name : described(topic, false).entries().stream().map(ConfigEntry::name).sorted().toList()) {
            see("topic config " + name, () -> entry(topic, name));
        }
        altered("topic", topic, "max.message.bytes", "4242");
        see("topic: append", () -> alter(topic, AlterConfigOp.OpType.APPEND, "cleanup.policy", "delete"));
        seeEventually("topic: appended", () -> described(topic, false).get("cleanup.policy").value(), "compact,delete");
        see("topic: subtract", () -> alter(topic, AlterConfigOp.OpType.SUBTRACT, "cleanup.policy", "compact"));
        seeEventually("topic: subtracted", () -> described(topic, false).get("cleanup.policy").value(), "delete");
        see("topic: append to what is no list", () -> alter(topic, AlterConfigOp.OpType.APPEND, "retention.ms", "1"));
        see("topic: a bad value", () -> alter(topic, AlterConfigOp.OpType.SET, "retention.ms", "soon"));
        see("topic: an unknown name", () -> alter(topic, AlterConfigOp.OpType.SET, "no.such", "1"));
        see("topic: null", () -> alter(topic, AlterConfigOp.OpType.SET, "retention.ms", null));
        see("absent topic: set", () -> alter(new ConfigResource(Type.TOPIC, "absent"), AlterConfigOp.OpType.SET, "retention.ms", "1"));
        see("absent topic: describe", () -> described(new ConfigResource(Type.TOPIC, "absent"), false));
        see("a topic without name", () -> described(new ConfigResource(Type.TOPIC, ""), false));
        altered("broker", node, "log.cleaner.threads", "2");
        altered("all brokers", all, "log.retention.ms", "86400000");
        see("broker: read-only", () -> alter(node, AlterConfigOp.OpType.SET, "log.dirs", "/elsewhere"));
        see("broker: an unknown name", () -> alter(node, AlterConfigOp.OpType.SET, "no.such", "1"));
        see("broker: a bad value", () -> alter(node, AlterConfigOp.OpType.SET, "log.retention.ms", "soon"));
        altered("group", group, "consumer.session.timeout.ms", "50000");
        see("group: an unknown name", () -> alter(group, AlterConfigOp.OpType.SET, "no.such", "1"));
        see("group: out of range", () -> alter(group, AlterConfigOp.OpType.SET, "consumer.session.timeout.ms", "1"));
        see("group without name: set", () -> alter(new ConfigResource(Type.GROUP, ""), AlterConfigOp.OpType.SET, "consumer.session.timeout.ms", "50000"));
        see("client metrics: set", () -> alter(metrics, AlterConfigOp.OpType.SET, "interval.ms", "5000"));
        see("client metrics: describe", () -> entry(metrics, "interval.ms"));
        see("resources: topics", () -> get(admin.listConfigResources(Set.of(Type.TOPIC), new ListConfigResourcesOptions()).all())
            .stream().map(ConfigResource::name).sorted().toList());
        see("resources: brokers", () -> get(admin.listConfigResources(Set.of(Type.BROKER), new ListConfigResourcesOptions()).all()).size());
        see("resources: groups", () -> get(admin.listConfigResources(Set.of(Type.GROUP), new ListConfigResourcesOptions()).all()));
        see("resources: client metrics", () -> get(admin.listConfigResources(Set.of(Type.CLIENT_METRICS), new ListConfigResourcesOptions()).all()));
        see("loggers: root", () -> described(new ConfigResource(Type.BROKER_LOGGER, broker), false).entries().size() > 0);
    }

    private static void cluster() throws Exception {
        see("cluster", () -> {
            DescribeClusterResult seen = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
            return get(seen.nodes()).size() + " nodes, id of " + get(seen.clusterId()).length() + " letters, "
                + new java.util.TreeSet<>(get(seen.authorizedOperations()));
        });
        see("cluster, fenced too", () -> get(admin.describeCluster(new DescribeClusterOptions().includeFencedBrokers(true)).nodes())
            .stream().map(node -> node.isFenced()).toList());
        see("log dirs", () -> get(admin.describeLogDirs(List.of(Integer.valueOf(broker))).allDescriptions()).get(Integer.valueOf(broker)).values().stream()
            .map(dir -> dir.error() + " orders " + dir.replicaInfos().keySet().stream().filter(p -> p.topic().equals("orders")).count()
                + " future " + dir.replicaInfos().get(FIRST).isFuture() + " lag " + dir.replicaInfos().get(FIRST).offsetLag()
                + " size " + (dir.replicaInfos().get(FIRST).size() > 0) + " total " + (dir.totalBytes().getAsLong() > 0)
                + " usable " + (dir.usableBytes().getAsLong() > 0)).toList());
        see("replica's dir", () -> {
            TopicPartitionReplica replica = new TopicPartitionReplica("orders", 0, Integer.parseInt(broker));
            return get(admin.describeReplicaLogDirs(List.of(replica)).all()).get(replica).getCurrentReplicaLogDir() != null;
        });
        see("move to an unknown dir", () -> get(admin.alterReplicaLogDirs(
            Map.of(new TopicPartitionReplica("orders", 0, Integer.parseInt(broker)), "/elsewhere")).all()));
        for (ElectionType type : ElectionType.values()) {
            see("elect " + type, () -> get(admin.electLeaders(type, Set.of(FIRST)).partitions()));
            see("elect " + type + ", absent", () -> get(admin.electLeaders(type, Set.of(ABSENT)).partitions()));
            see("elect " + type + ", all", () -> get(admin.electLeaders(type, null).partitions()));
        }
        see("reassignments", () -> get(admin.listPartitionReassignments().reassignments()));
        see("reassignments of an absent one", () -> get(admin.listPartitionReassignments(Set.of(ABSENT)).reassignments()));
        see("reassign to the same", () -> get(admin.alterPartitionReassignments(
            Map.of(FIRST, Optional.of(new NewPartitionReassignment(List.of(Integer.valueOf(broker)))))).all()));
        see("reassign to an unknown broker", () -> get(admin.alterPartitionReassignments(
            Map.of(FIRST, Optional.of(new NewPartitionReassignment(List.of(99))))).all()));
        see("reassign an absent one", () -> get(admin.alterPartitionReassignments(
            Map.of(ABSENT, Optional.of(new NewPartitionReassignment(List.of(Integer.valueOf(broker)))))).all()));
        see("cancel no reassignment", () -> get(admin.alterPartitionReassignments(Map.of(FIRST, Optional.empty())).all()));
        see("quorum", () -> {
            QuorumInfo seen = get(admin.describeMetadataQuorum().quorumInfo());
            return String.valueOf(seen.leaderId()).equals(broker) + " voters " + seen.voters().size() + " observers " + seen.observers().size()
                + " epoch " + (seen.leaderEpoch() > 0) + " end " + (seen.highWatermark() > 0) + " nodes " + seen.nodes().size();
        });
        see("features", () -> {
            FeatureMetadata seen = get(admin.describeFeatures().featureMetadata());
            return seen.finalizedFeatures().get("metadata.version") + " of " + seen.supportedFeatures().get("metadata.version");
        });
        see("feature: unknown", () -> get(admin.updateFeatures(
            Map.of("no.such", new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE)), new UpdateFeaturesOptions()).all()));
        see("feature: too high", () -> get(admin.updateFeatures(
            Map.of("metadata.version", new FeatureUpdate((short) 999, FeatureUpdate.UpgradeType.UPGRADE)), new UpdateFeaturesOptions()).all()));
        see("feature: lower", () -> get(admin.updateFeatures(
            Map.of("metadata.version", new FeatureUpdate((short) 7, FeatureUpdate.UpgradeType.UPGRADE)), new UpdateFeaturesOptions()).all()));
        see("acls", () -> get(admin.describeAcls(AclBindingFilter.ANY).values()));
        see("delete acls", () -> get(admin.deleteAcls(List.of(AclBindingFilter.ANY)).all()));
    }

    private static void producers() throws Exception {
        see("producers", () -> get(admin.describeProducers(List.of(FIRST)).partitionResult(FIRST)).activeProducers().stream()
            .map(p -> p.producerEpoch() + " last " + p.lastSequence() + " coordinator " + p.coordinatorEpoch() + " open "
                + p.currentTransactionStartOffset()).toList());
        see("transactions", () -> get(admin.listTransactions().all()));
        see("transactions, a bad pattern", () -> get(admin.listTransactions(new ListTransactionsOptions().filterOnTransactionalIdPattern("(")).all()));
    }

    private static String listed(Collection<GroupListing> groups) {
        return groups.stream().map(g -> g.groupId() + " " + g.type().map(Object::toString).orElse("") + " " + g.protocol() + " "
            + g.groupState().map(Object::toString).orElse("")).sorted().toList().toString();
    }

    private static void groups() throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "group.id", "readers", "auto.offset.reset", "earliest",
            "enable.auto.commit", "false", ConsumerConfig.CLIENT_ID_CONFIG, "reader", ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, "first");
        try (var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of("orders"));
            while (consumer.assignment().isEmpty()) {
                consumer.poll(Duration.ofMillis(100));
            }
            consumer.commitSync(Map.of(FIRST, new OffsetAndMetadata(3, Optional.of(0), "a note"), SECOND, new OffsetAndMetadata(0)));
            see("groups", () -> listed(get(admin.listGroups().all())));
            see("groups that are empty", () -> listed(get(admin.listGroups(ListGroupsOptions.forConsumerGroups()
                .inGroupStates(Set.of(org.apache.kafka.common.GroupState.EMPTY))).all())));
            see("group", () -> {
                ConsumerGroupDescription seen = get(admin.describeConsumerGroups(List.of("readers"),
                    new DescribeConsumerGroupsOptions().includeAuthorizedOperations(true)).all()).get("readers");
                MemberDescription member = seen.members().iterator().next();
                return seen.groupId() + " " + seen.groupState() + " " + seen.type() + " " + seen.partitionAssignor() + " simple "
                    + seen.isSimpleConsumerGroup() + " " + new java.util.TreeSet<>(seen.authorizedOperations()) + " " + seen.members().size() + " "
                    + member.clientId() + " " + member.host() + " " + member.groupInstanceId() + " " + member.assignment().topicPartitions().size();
            });
            see("classic group", () -> get(admin.describeClassicGroups(List.of("readers")).all()).get("readers").state());
            see("delete a group in use", () -> get(admin.deleteConsumerGroups(List.of("readers")).all()));
            see("delete offsets in use", () -> get(admin.deleteConsumerGroupOffsets("readers", Set.of(FIRST)).all()));
            see("alter offsets in use", () -> get(admin.alterConsumerGroupOffsets("readers", Map.of(FIRST, new OffsetAndMetadata(1))).all()));
            see("remove an unknown member", () -> get(admin.removeMembersFromConsumerGroup("readers",
                new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("second")))).all()));
            see("remove the member", () -> get(admin.removeMembersFromConsumerGroup("readers",
                new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove("first")))).all()));
        }
        see("offsets", () -> new TreeMap<>(get(admin.listConsumerGroupOffsets("readers").partitionsToOffsetAndMetadata()).entrySet().stream()
            .collect(Collectors.toMap(e -> e.getKey().toString(), e -> String.valueOf(e.getValue())))));
        see("alter offsets", () -> get(admin.alterConsumerGroupOffsets("readers", Map.of(FIRST, new OffsetAndMetadata(1))).all()));
        see("alter offsets of an absent topic", () -> get(admin.alterConsumerGroupOffsets("readers", Map.of(ABSENT, new OffsetAndMetadata(1))).all()));
        see("alter offsets of a new group", () -> get(admin.alterConsumerGroupOffsets("made", Map.of(FIRST, new OffsetAndMetadata(1))).all()));
        see("empty group", () -> get(admin.describeConsumerGroups(List.of("made")).all()).get("made").groupState());
        see("groups now", () -> listed(get(admin.listGroups().all())));
        see("delete offsets", () -> get(admin.deleteConsumerGroupOffsets("readers", Set.of(FIRST)).all()));
        see("delete offsets of an absent topic", () -> get(admin.deleteConsumerGroupOffsets("readers", Set.of(ABSENT)).all()));
        see("delete offsets of an absent group", () -> get(admin.deleteConsumerGroupOffsets("absent", Set.of(FIRST)).all()));
        see("absent group", () -> get(admin.describeConsumerGroups(List.of("absent")).all()));
        see("offsets of an absent group", () -> get(admin.listConsumerGroupOffsets("absent").partitionsToOffsetAndMetadata()));
        see("delete groups", () -> get(admin.deleteConsumerGroups(List.of("readers", "made")).all()));
        see("delete an absent group", () -> get(admin.deleteConsumerGroups(List.of("absent")).all()));
    }

    private static void deletions() throws Exception {
        see("delete topic", () -> get(admin.deleteTopics(List.of("defaults")).all()));
        see("delete an absent topic", () -> get(admin.deleteTopics(List.of("absent")).all()));
        see("delete by id", () -> {
            Uuid id = get(admin.describeTopics(List.of("orders")).allTopicNames()).get("orders").topicId();
            return get(admin.deleteTopics(TopicCollection.ofTopicIds(List.of(id))).all());
        });
        see("delete an unknown id", () -> get(admin.deleteTopics(
            TopicCollection.ofTopicIds(List.of(Uuid.fromString("AAAAAAAAAAAAAAAAAAAAQQ")))).all()));
        see("topics at the end", () -> get(admin.listTopics().names()).stream().sorted().toList());
    }
}
