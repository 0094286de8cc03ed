"""What programs written for old releases of kafka-python do, in one go.

    programs.py BOOTSTRAP TOPIC [API_VERSION]

Runs on Python 3.6 with kafka-python 1.3.4 or kafka 1.3.5, and on later ones. Prints a line for each thing that was seen to
work; whatever does not raises.
"""
import json
import sys
import threading
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

bootstrap, topic = sys.argv[1:3]
common = {"bootstrap_servers": [bootstrap]}
if len(sys.argv) > 3:
    common["api_version"] = tuple(int(part) for part in sys.argv[3].split("."))


def seen(what):
    print(what)
    sys.stdout.flush()


def produce():
    producer = KafkaProducer(retries=5, **common)
    metadata = producer.send(topic, b"raw_bytes", key=b"k").get(timeout=30)
    assert (metadata.topic, metadata.partition, metadata.offset) == (topic, 0, 0), metadata
    delivered = []
    for number in range(100):
        producer.send(topic, b"msg%d" % number, partition=0).add_callback(delivered.append)
    producer.flush()
    assert [one.offset for one in delivered] == list(range(1, 101)), delivered
    producer.close()
    seen("produced")
    for codec in ("gzip", "snappy", "lz4"):
        producer = KafkaProducer(compression_type=codec, linger_ms=50, **common)
        for number in range(10):
            last = producer.send(topic, b"%s%d" % (codec.encode(), number))
        last.get(timeout=30)
        producer.close()
        seen("produced " + codec)
    producer = KafkaProducer(value_serializer=lambda m: json.dumps(m).encode("ascii"), **common)
    producer.send(topic, {"key": "value"}).get(timeout=30)
    producer.close()
    seen("produced json")


def consume():
    consumer = KafkaConsumer(topic, auto_offset_reset="earliest", consumer_timeout_ms=5000, **common)
    records = []
    for record in consumer:
        records.append(record)
        if len(records) == 132:
            break
    assert [record.offset for record in records] == list(range(132)), records
    assert (records[0].key, records[0].value) == (b"k", b"raw_bytes")
    assert records[101].value == b"gzip0" and records[130].value == b"lz49"
    assert json.loads(records[131].value.decode("ascii")) == {"key": "value"}
    seen("consumed")
    partition = TopicPartition(topic, 0)
    consumer.seek(partition, 5)
    assert next(consumer).offset == 5
    consumer.pause(partition)
    assert consumer.poll(timeout_ms=200) == {} and partition in consumer.paused()
    consumer.resume(partition)
    consumer.seek(partition, 7)
    assert next(consumer).offset == 7
    assert consumer.partitions_for_topic(topic) == {0} and topic in consumer.topics()
    consumer.close()
    seen("sought, paused and resumed")


def member(group, found, stop, **options):
    consumer = KafkaConsumer(
        topic, group_id=group, auto_offset_reset="earliest", consumer_timeout_ms=500, **dict(common, **options)
    )
    while not stop.is_set():
        for record in consumer:
            found.append(record.offset)
    consumer.close()


def groups():
    group = "group-of-" + topic
    found, stop = ([], []), threading.Event()
    members = [threading.Thread(target=member, args=(group, one, stop)) for one in found]
    for one in members:
        one.start()
    deadline = time.time() + 60
    while len(set(found[0] + found[1])) < 132 and time.time() < deadline:
        time.sleep(0.1)
    stop.set()
    for one in members:
        one.join()
    assert sorted(set(found[0] + found[1])) == list(range(132)), found
    seen("consumed as a group")
    consumer = KafkaConsumer(group_id=group, enable_auto_commit=False, **common)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    assert consumer.committed(partition) == 132, consumer.committed(partition)
    consumer.close()
    seen("went on from what was committed")


def pattern():
    consumer = KafkaConsumer(
        auto_offset_reset="earliest", consumer_timeout_ms=20000, group_id="pattern-" + topic, **common
    )
    consumer.subscribe(pattern="^" + topic[:-1] + ".$")
    assert next(consumer).topic == topic
    consumer.close()
    seen("subscribed by pattern")


produce()
consume()
groups()
pattern()
