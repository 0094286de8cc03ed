"""librdkafka, by way of confluent-kafka. The contract is ../README.md."""

import time

import confluent_kafka
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewTopic,
)

import record_line

VERSION = f"confluent-kafka {confluent_kafka.__version__}, librdkafka {confluent_kafka.libversion()[0]}"


def create(bootstrap, topics, partitions):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    new_topics = [NewTopic(topic, num_partitions=partitions, replication_factor=1) for topic in topics]
    for created in admin.create_topics(new_topics, operation_timeout=30).values():
        created.result(timeout=60)


def settings(bootstrap, topic):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    broker = next(iter(admin.list_topics(timeout=30).brokers))

    def describe(kind, name):
        [described] = admin.describe_configs([ConfigResource(kind, name)], request_timeout=60).values()
        return described.result(timeout=60)

    def alter(kind, name, values):
        changes = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in values.items()
        ]
        resource = ConfigResource(kind, name, incremental_configs=changes)
        [altered] = admin.incremental_alter_configs([resource], request_timeout=60).values()
        altered.result(timeout=60)

    for kind, name in (("topic", topic), ("broker", str(broker))):
        described = describe(kind, name).items()
        alter(kind, name, {key: e.value for key, e in described if not e.is_read_only and e.value is not None})
    alter("topic", topic, {"max.message.bytes": "4242"})
    for key, entry in describe("topic", topic).items():
        yield key, entry.value, ConfigSource(entry.source).name


def produce(bootstrap, codec, idempotent, records):
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "compression.type": codec,
            "enable.idempotence": idempotent,
            "acks": "all",
            "linger.ms": 20,
            "message.timeout.ms": record_line.DEADLINE_S * 1000,
        }
    )
    places, errors = [], []

    def delivered(index):
        def report(error, message):
            if error is not None:
                errors.append(error)
            else:
                places[index] = (message.partition(), message.offset())

        return report

    for index, (topic, partition, timestamp, key, value, headers) in enumerate(records):
        places.append(None)
        where = {} if partition is None else {"partition": partition}
        while True:
            try:
                producer.produce(
                    topic, value, key, timestamp=timestamp, headers=headers, on_delivery=delivered(index), **where
                )
                break
            except BufferError:  # the queue is full: let deliveries make room
                producer.poll(0.1)
        producer.poll(0)
    left = producer.flush(record_line.DEADLINE_S)
    if left or errors:
        raise SystemExit(f"{left} records unsent, {len(errors)} failed: {errors[:3]}")
    return places


def consume(bootstrap, topics, write):
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "assigned-by-hand",  # the binding insists on one; nothing is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "check.crcs": True,
            "fetch.wait.max.ms": 100,
        }
    )
    waiting = set()
    for topic in topics:
        metadata = consumer.list_topics(topic, timeout=30).topics[topic]
        if metadata.error is not None:
            raise SystemExit(f"{topic}: {metadata.error}")
        waiting.update((topic, partition) for partition in metadata.partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in sorted(waiting)])
    deadline = time.monotonic() + record_line.DEADLINE_S
    while waiting:
        if time.monotonic() > deadline:
            raise SystemExit(f"the end was not reached in {sorted(waiting)[:5]}")
        for message in consumer.consume(num_messages=1000, timeout=0.2):
            error = message.error()
            if error is None:
                write(
                    record_line.format_record(
                        message.topic(),
                        message.partition(),
                        message.offset(),
                        message.timestamp()[1],
                        message.key(),
                        message.value(),
                        message.headers(),
                    )
                )
            elif error.code() == KafkaError._PARTITION_EOF:
                waiting.discard((message.topic(), message.partition()))
            elif not error.retriable():
                raise SystemExit(str(error))
    consumer.close()


if __name__ == "__main__":
    record_line.run(VERSION, create, produce, consume, settings)
