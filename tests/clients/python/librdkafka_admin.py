"""What librdkafka's admin client can ask of a broker, one line for each thing seen. The contract is ../README.md."""

import sys

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ElectionType,
    IsolationLevel,
    KafkaException,
    Producer,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
)

PATIENCE_S = 60


def see(what, ask):
    """Prints what the call gives, or the error that it ends with."""
    try:
        seen = ask()
    except KafkaException as failed:
        error = failed.args[0]
        seen = f"{error.name()}: {error.str()}"
    print(f"{what}\t{seen}".replace("\n", " "))


def only(futures):
    [future] = futures.values()
    return future.result(timeout=PATIENCE_S)


def own_topics(admin):
    """All but those that brokers make for themselves."""
    return sorted(name for name in admin.list_topics(timeout=PATIENCE_S).topics if not name.startswith("__"))


def topics(admin, broker):
    def create(name, validate_only=False, **how):
        return only(admin.create_topics([NewTopic(name, **how)], validate_only=validate_only))

    how = {"num_partitions": 2, "replication_factor": 1, "config": {"retention.ms": "-1", "cleanup.policy": "compact"}}
    see("create, validate only", lambda: create("orders", True, **how))
    see("create", lambda: create("orders", **how))
    see("create, already there", lambda: create("orders", **how))
    see("create, defaults", lambda: create("defaults"))
    see("create, assigned by hand", lambda: create("assigned", num_partitions=1, replica_assignment=[[broker]]))
    see("create, 3 replicas", lambda: create("bad", num_partitions=1, replication_factor=3))
    see("create, a name with a space", lambda: create("a b", num_partitions=1, replication_factor=1))
    see("create, a bad value", lambda: create("bad", num_partitions=1, replication_factor=1, config={"retention.ms": "x"}))
    see("create, an unknown config", lambda: create("bad", num_partitions=1, replication_factor=1, config={"no": "x"}))
    see("create, on an unknown broker", lambda: create("bad", num_partitions=1, replica_assignment=[[99]]))
    see("list", lambda: own_topics(admin))

    def describe(name):
        seen = only(admin.describe_topics(TopicCollection([name]), include_authorized_operations=True))
        operations = sorted(operation.name for operation in seen.authorized_operations)
        return f"{seen.name} {len(seen.partitions)} internal {seen.is_internal} isr {len(seen.partitions[0].isr)} {operations}"

    see("describe", lambda: describe("orders"))
    see("describe, absent", lambda: describe("absent"))

    def grow(name, count, **more):
        return only(admin.create_partitions([NewPartitions(name, count)], **more))

    see("3 partitions, validate only", lambda: grow("orders", 3, validate_only=True))
    see("3 partitions", lambda: grow("orders", 3))
    see("3 partitions again", lambda: grow("orders", 3))
    see("2 partitions", lambda: grow("orders", 2))
    see("partitions of an absent topic", lambda: grow("absent", 2))


def records(admin, bootstrap):
    producer = Producer({"bootstrap.servers": bootstrap})
    for number in range(10):
        producer.produce("defaults", b"value", b"key", partition=0, timestamp=1_000_000_000_000 + (99 if number == 5 else number))
        producer.flush(PATIENCE_S)

    def offset(spec):
        seen = only(admin.list_offsets({TopicPartition("defaults", 0): spec}, isolation_level=IsolationLevel.READ_COMMITTED))
        return f"{seen.offset} at {seen.timestamp}"

    see("earliest", lambda: offset(OffsetSpec.earliest()))
    see("latest", lambda: offset(OffsetSpec.latest()))
    see("of a timestamp", lambda: offset(OffsetSpec.for_timestamp(1_000_000_000_003)))
    see("of the largest timestamp", lambda: offset(OffsetSpec.max_timestamp()))

    def delete(before):
        return only(admin.delete_records([TopicPartition("defaults", 0, before)])).low_watermark

    see("delete records", lambda: delete(4))
    see("delete records, beyond the end", lambda: delete(11))
    see("delete all records", lambda: delete(-1))


def configs(admin, broker):
    def shown(kind, name, key):
        entry = only(admin.describe_configs([ConfigResource(kind, name)]))[key]
        synonyms = sorted(f"{ConfigSource(s.source).name}:{s.name}={s.value}" for s in entry.synonyms.values())
        return f"{entry.value} {ConfigSource(entry.source).name} read-only {entry.is_read_only} {synonyms}"

    def alter(kind, name, key, value, operation):
        entry = ConfigEntry(key, value, incremental_operation=operation)
        return only(admin.incremental_alter_configs([ConfigResource(kind, name, incremental_configs=[entry])]))

    for kind, name, key, value in (
        ("topic", "orders", "max.message.bytes", "4242"),
        ("broker", broker, "log.cleaner.threads", "2"),
    ):
        see(f"{kind}: set", lambda: alter(kind, name, key, value, AlterConfigOpType.SET))
        see(f"{kind}: delete", lambda: alter(kind, name, key, None, AlterConfigOpType.DELETE))
    see("topic: shown", lambda: shown("topic", "orders", "cleanup.policy"))
    see("topic: append", lambda: alter("topic", "orders", "cleanup.policy", "delete", AlterConfigOpType.APPEND))
    see("topic: subtract", lambda: alter("topic", "orders", "cleanup.policy", "compact", AlterConfigOpType.SUBTRACT))
    see("topic: a bad value", lambda: alter("topic", "orders", "retention.ms", "x", AlterConfigOpType.SET))
    see("topic: an unknown name", lambda: alter("topic", "orders", "no.such", "x", AlterConfigOpType.SET))
    see("broker: read-only", lambda: alter("broker", broker, "log.dirs", "/x", AlterConfigOpType.SET))
    replaced = {"retention.ms": "5000"}
    see("topic: replace all", lambda: only(admin.alter_configs([ConfigResource("topic", "orders", set_config=replaced)])))
    see("absent topic: replace all", lambda: only(admin.alter_configs([ConfigResource("topic", "absent", set_config=replaced)])))
    see("absent topic", lambda: shown("topic", "absent", "retention.ms"))


def cluster(admin):
    def described():
        seen = admin.describe_cluster(include_authorized_operations=True).result(timeout=PATIENCE_S)
        operations = sorted(operation.name for operation in seen.authorized_operations)
        return f"{len(seen.nodes)} nodes, id of {len(seen.cluster_id)} letters, {operations}"

    see("cluster", described)
    any_acl = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    see("acls", lambda: admin.describe_acls(any_acl).result(timeout=PATIENCE_S))

    def elect(topic):
        asked = admin.elect_leaders(ElectionType.PREFERRED, [TopicPartition(topic, 0)])
        return [f"{error.name()}: {error.str()}" for error in asked.result(timeout=PATIENCE_S).values()]

    see("elect", lambda: elect("orders"))
    see("elect, absent", lambda: elect("absent"))


def groups(admin):
    def alter(group, topic, offset):
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, offset)])
        [seen] = only(admin.alter_consumer_group_offsets([asked])).topic_partitions
        return seen.error and seen.error.str()

    def offsets(group):
        seen = only(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])).topic_partitions
        return sorted((p.topic, p.partition, p.offset) for p in seen)

    def listed(**filters):
        seen = admin.list_consumer_groups(**filters).result(timeout=PATIENCE_S).valid
        return sorted((g.group_id, g.is_simple_consumer_group, g.state.name, g.type.name) for g in seen)

    def described(group):
        seen = only(admin.describe_consumer_groups([group]))
        return f"{seen.group_id} {seen.state.name} {seen.type.name} {len(seen.members)}"

    see("alter offsets of a new group", lambda: alter("made", "orders", 1))
    see("alter offsets of an absent topic", lambda: alter("made", "absent", 1))
    see("offsets", lambda: offsets("made"))
    see("groups", listed)
    see("groups that are stable", lambda: listed(states={ConsumerGroupState.STABLE}))
    see("group", lambda: described("made"))
    see("absent group", lambda: described("absent"))
    see("delete groups", lambda: only(admin.delete_consumer_groups(["made"])))
    see("delete an absent group", lambda: only(admin.delete_consumer_groups(["absent"])))


def deletions(admin):
    see("delete topic", lambda: only(admin.delete_topics(["orders"])))
    see("delete an absent topic", lambda: only(admin.delete_topics(["absent"])))
    see("topics at the end", lambda: own_topics(admin))


def main():
    bootstrap = sys.argv[1]
    admin = AdminClient({"bootstrap.servers": bootstrap})
    broker = next(iter(admin.list_topics(timeout=PATIENCE_S).brokers))
    topics(admin, broker)
    records(admin, bootstrap)
    configs(admin, str(broker))
    cluster(admin)
    groups(admin)
    deletions(admin)


main()
