"""Transactions as librdkafka (confluent-kafka) sees them. The contract is ../README.md, "Transactions".

    transactions.py librdkafka scenarios BOOTSTRAP
"""
import sys
import time

import confluent_kafka
import confluent_kafka.admin
from confluent_kafka import TopicPartition

DEADLINE_S = 60
RECORDS = 200


def create(bootstrap, *topics):
    admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": bootstrap})
    new = [confluent_kafka.admin.NewTopic(topic, 3, 1) for topic in topics]
    for future in admin.create_topics(new).values():
        future.result(DEADLINE_S)


def producer(bootstrap, transactional_id):
    made = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "transactional.id": transactional_id})
    made.init_transactions(DEADLINE_S)
    return made


def consumer(bootstrap, group, isolation="read_committed"):
    return confluent_kafka.Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "isolation.level": isolation,
    })


def values(bootstrap, topic, count, isolation="read_committed"):
    """What a reader finds, until it has `count` records and nothing comes after them."""
    reader = consumer(bootstrap, f"reader-{topic}-{isolation}-{time.time()}", isolation)
    reader.assign([TopicPartition(topic, partition, 0) for partition in range(3)])
    found, deadline = [], time.time() + DEADLINE_S
    quiet = 0
    while time.time() < deadline and (len(found) < count or quiet < 3):
        message = reader.poll(0.3)
        if message is None:
            quiet += 1
            continue
        quiet = 0
        if message.error():
            raise confluent_kafka.KafkaException(message.error())
        found.append(message.value().decode())
    reader.close()
    return sorted(found)


def commits_and_aborts(bootstrap):
    create(bootstrap, "py-plain")
    sender = producer(bootstrap, "py-plain")
    kept = []
    for number in range(12):
        sender.begin_transaction()
        batch = [f"{number}-{index}" for index in range(5)]
        for index, value in enumerate(batch):
            sender.produce("py-plain", value.encode(), partition=index % 3)
        if number % 3 == 1:
            sender.flush()
            sender.abort_transaction(DEADLINE_S)
        else:
            sender.commit_transaction(DEADLINE_S)
            kept += batch
    assert values(bootstrap, "py-plain", len(kept)) == sorted(kept)
    assert len(values(bootstrap, "py-plain", 1, "read_uncommitted")) >= len(kept)
    print("commits are read, aborts are not")


def offsets_in_transactions(bootstrap):
    create(bootstrap, "py-in", "py-out")
    feed = confluent_kafka.Producer({"bootstrap.servers": bootstrap})
    for number in range(RECORDS):
        feed.produce("py-in", str(number).encode(), partition=number % 3)
    feed.flush()
    done, round_number = 0, 0
    while done < RECORDS:
        # A new process every time: what it goes on from is what was committed.
        worker, sender = consumer(bootstrap, "py-group"), producer(bootstrap, "py-copy")
        worker.subscribe(["py-in"])
        deadline = time.time() + DEADLINE_S
        for _ in range(4):
            messages = []
            while not messages:
                assert time.time() < deadline, f"{done} of {RECORDS} after {round_number} rounds"
                messages = [one for one in worker.consume(1 + (7 * round_number) % 40, 0.5) if not one.error()]
                if done >= RECORDS:
                    break
            if not messages:
                break
            sender.begin_transaction()
            for message in messages:
                sender.produce("py-out", message.value(), partition=message.partition())
            positions = worker.position(worker.assignment())
            sender.send_offsets_to_transaction(positions, worker.consumer_group_metadata(), DEADLINE_S)
            round_number += 1
            if round_number % 3 == 0:
                sender.abort_transaction(DEADLINE_S)
                break
            sender.commit_transaction(DEADLINE_S)
            done += len(messages)
            if done >= RECORDS:
                break
        worker.close()
    expected = sorted(str(number) for number in range(RECORDS))
    found = values(bootstrap, "py-out", RECORDS)
    assert found == expected, f"{len(found)} found"
    print("every record was copied once, in", round_number, "transactions")


def a_zombie_is_fenced(bootstrap):
    create(bootstrap, "py-fence")
    zombie = producer(bootstrap, "py-fence")
    zombie.begin_transaction()
    zombie.produce("py-fence", b"lost", partition=0)
    zombie.flush()
    heir = producer(bootstrap, "py-fence")
    try:
        zombie.produce("py-fence", b"late", partition=0)
        zombie.commit_transaction(DEADLINE_S)
    except confluent_kafka.KafkaException as refused:
        error = refused.args[0]
        assert error.fatal(), error
        assert error.code() in (confluent_kafka.KafkaError._FENCED, confluent_kafka.KafkaError.PRODUCER_FENCED), error
    else:
        raise AssertionError("the zombie has committed")
    heir.begin_transaction()
    heir.produce("py-fence", b"kept", partition=0)
    heir.commit_transaction(DEADLINE_S)
    assert values(bootstrap, "py-fence", 1) == ["kept"]
    print("a zombie is fenced")


def main():
    if sys.argv[1:3] != ["librdkafka", "scenarios"]:
        raise SystemExit(f"no such command: {sys.argv[1:]}")
    commits_and_aborts(sys.argv[3])
    offsets_in_transactions(sys.argv[3])
    a_zombie_is_fenced(sys.argv[3])
    print("ran to its end")


main()
