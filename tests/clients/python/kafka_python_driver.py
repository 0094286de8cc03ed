"""kafka-python 3. The contract is ../README.md."""

import time

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

import record_line

VERSION = f"kafka-python {kafka.__version__}"


def create(bootstrap, topics, partitions):
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    shape = {"num_partitions": partitions, "replication_factor": 1}
    admin.create_topics({topic: shape for topic in topics}, timeout_ms=30_000)
    admin.close()


def produce(bootstrap, codec, idempotent, records):
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if codec == "none" else codec,
        enable_idempotence=idempotent,
        acks="all",
        batch_size=128 * 1024,
        linger_ms=20,
        delivery_timeout_ms=record_line.DEADLINE_S * 1000,
    )
    futures = [
        producer.send(topic, value, key=key, headers=headers, partition=partition, timestamp_ms=timestamp)
        for topic, partition, timestamp, key, value, headers in records
    ]
    producer.flush(timeout=record_line.DEADLINE_S)
    answers = [future.get(timeout=record_line.DEADLINE_S) for future in futures]
    producer.close()
    return [(answer.partition, answer.offset) for answer in answers]


def consume(bootstrap, topics, write):
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=100,
        max_poll_records=5000,
    )
    assigned = []
    for topic in topics:
        partitions = consumer.partitions_for_topic(topic)
        if not partitions:
            raise SystemExit(f"{topic}: no such topic")
        assigned += [TopicPartition(topic, partition) for partition in sorted(partitions)]
    consumer.assign(assigned)
    consumer.seek_to_beginning(*assigned)
    ends = consumer.end_offsets(assigned)
    deadline = time.monotonic() + record_line.DEADLINE_S
    while any(consumer.position(tp) < ends[tp] for tp in assigned):
        if time.monotonic() > deadline:
            raise SystemExit("the end was not reached")
        for tp, records in consumer.poll(timeout_ms=200).items():
            for record in records:
                write(
                    record_line.format_record(
                        tp.topic, tp.partition, record.offset, record.timestamp, record.key, record.value, record.headers
                    )
                )
    consumer.close(autocommit=False)


if __name__ == "__main__":
    record_line.run(VERSION, create, produce, consume)
