"""Consumers of the three delivery semantics, made to be killed at any moment. They differ only in when they remember what.

    delivery.py produce BOOTSTRAP TOPIC COUNT        numbers from 0 on, each once, whatever happens to the broker
    delivery.py MODE BOOTSTRAP TOPIC DATABASE [end]  MODE: at-most-once, at-least-once, exactly-once; with `end` until all is read
    delivery.py rows DATABASE                        the numbers that were processed, one a line
"""

import sqlite3
import sys

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

SCHEMA = """
CREATE TABLE IF NOT EXISTS processed (number INTEGER, topic TEXT, part INTEGER, place INTEGER);
CREATE TABLE IF NOT EXISTS positions (part INTEGER PRIMARY KEY, place INTEGER);
"""


def database(path):
    # Processes are killed here, not machines: what SQLite has given to the kernel stays.
    opened = sqlite3.connect(path, timeout=60, isolation_level=None)
    opened.execute("PRAGMA journal_mode = WAL")
    opened.execute("PRAGMA synchronous = OFF")
    opened.executescript(SCHEMA)
    return opened


def produce(bootstrap, topic, count):
    producer = Producer({
        "bootstrap.servers": bootstrap,
        "enable.idempotence": True,
        "delivery.timeout.ms": 120000,
        "linger.ms": 1,
        "batch.num.messages": 20,
        "reconnect.backoff.max.ms": 200,
    })
    failed = []

    def delivered(error, message):
        if error is not None:
            failed.append((message.value(), error))

    for number in range(count):
        while True:
            try:
                producer.produce(topic, str(number), partition=number % 3, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    producer.flush()
    assert not failed, failed


def remember(rows, message):
    rows.execute(
        "INSERT INTO processed VALUES (?, ?, ?, ?)",
        (int(message.value()), message.topic(), message.partition(), message.offset()),
    )


def commit(consumer, message):
    """Whether the position behind the message is remembered for certain."""
    try:
        [answer] = consumer.commit(message=message, asynchronous=False)
        return answer.error is None
    except KafkaException:
        return False


def at_most_once(consumer, rows, message):
    if commit(consumer, message):
        remember(rows, message)


def at_least_once(consumer, rows, message):
    remember(rows, message)
    commit(consumer, message)


def exactly_once(consumer, rows, message):
    rows.execute("BEGIN IMMEDIATE")
    moved = rows.execute(
        "UPDATE positions SET place = ? WHERE part = ? AND place = ?",
        (message.offset() + 1, message.partition(), message.offset()),
    )
    if moved.rowcount == 1:
        remember(rows, message)
        rows.execute("COMMIT")
    else:
        # Another member has gone further meanwhile: this one is not the owner any more.
        rows.execute("ROLLBACK")


def seek_to_the_database(rows):
    def assigned(consumer, partitions):
        for partition in partitions:
            rows.execute("INSERT OR IGNORE INTO positions VALUES (?, 0)", (partition.partition,))
            [[partition.offset]] = rows.execute(
                "SELECT place FROM positions WHERE part = ?", (partition.partition,)
            ).fetchall()
        consumer.assign(partitions)

    return assigned


def consume(mode, bootstrap, topic, path, until_end):
    rows = database(path)
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": mode,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "session.timeout.ms": 1000,
        "heartbeat.interval.ms": 200,
        "enable.partition.eof": True,
        "reconnect.backoff.max.ms": 200,
    })
    process = {"at-most-once": at_most_once, "at-least-once": at_least_once, "exactly-once": exactly_once}[mode]
    at_end = set()
    if mode == "exactly-once":
        consumer.subscribe([topic], on_assign=seek_to_the_database(rows))
    else:
        # With a callback the client waits for `poll` before it joins again: no message outlives the membership that brought it.
        consumer.subscribe([topic], on_assign=lambda consumer, partitions: consumer.assign(partitions))
    while not (until_end and len(at_end) == 3):
        message = consumer.poll(0.2)
        if message is None:
            continue
        if message.error() is None:
            at_end.discard(message.partition())
            process(consumer, rows, message)
        elif message.error().code() == KafkaError._PARTITION_EOF:
            at_end.add(message.partition())
    consumer.close()


def main():
    if sys.argv[1] == "produce":
        produce(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    elif sys.argv[1] == "rows":
        for [number] in database(sys.argv[2]).execute("SELECT number FROM processed"):
            print(number)
    else:
        consume(*sys.argv[1:5], until_end=sys.argv[5:] == ["end"])


if __name__ == "__main__":
    main()
