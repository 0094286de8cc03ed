"""What members of a group see, with librdkafka (confluent-kafka) or kafka-python. The contract is ../README.md, "Groups".

    groups.py librdkafka|kafka-python scenarios BOOTSTRAP
    groups.py librdkafka|kafka-python member BOOTSTRAP GROUP TOPIC
"""
import select
import sys
import threading
import time

import confluent_kafka
import confluent_kafka.admin
import kafka

DEADLINE_S = 60


class LibrdkafkaMember:
    """A member on a thread of its own, and what it has seen."""

    def __init__(self, bootstrap, group, assignor="range", instance=None):
        config = {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "partition.assignment.strategy": assignor,
            "heartbeat.interval.ms": 300,
            "session.timeout.ms": 10000,
            "topic.metadata.refresh.interval.ms": 500,
        }
        if instance is not None:
            config["group.instance.id"] = instance
        self.consumer = confluent_kafka.Consumer(config)
        self.owned, self.revoked, self.read, self.assignments = set(), [], [], 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.poll, daemon=True)

    def subscribe(self, topic):
        self.consumer.subscribe([topic], on_assign=self.on_assign, on_revoke=self.on_revoke)
        self.thread.start()
        return self

    subscribe_pattern = subscribe  # a topic that begins with ^ is a pattern

    def on_assign(self, _, partitions):
        self.owned |= {(one.topic, one.partition) for one in partitions}
        self.assignments += 1

    def on_revoke(self, _, partitions):
        gone = [(one.topic, one.partition) for one in partitions]
        self.owned -= set(gone)
        self.revoked += gone

    def poll(self):
        while not self.stop.is_set():
            record = self.consumer.poll(0.1)
            if record is not None and record.error() is None:
                self.read.append((record.topic(), record.partition(), record.offset()))
                self.consumer.commit(message=record, asynchronous=False)
        self.consumer.close()

    def close(self):
        self.stop.set()
        self.thread.join(DEADLINE_S)


class Listener(kafka.ConsumerRebalanceListener):
    def __init__(self, member):
        self.member = member

    def on_partitions_assigned(self, assigned):
        self.member.owned = {(one.topic, one.partition) for one in assigned}
        self.member.assignments += 1

    def on_partitions_revoked(self, revoked):
        gone = [(one.topic, one.partition) for one in revoked]
        self.member.owned -= set(gone)
        self.member.revoked += gone


class KafkaPythonMember:
    """The same with kafka-python, whose members rebalance eagerly."""

    def __init__(self, bootstrap, group, assignor="range", instance=None):
        assert assignor == "range" and instance is None
        self.consumer = kafka.KafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            heartbeat_interval_ms=300,
            session_timeout_ms=10000,
            metadata_max_age_ms=500,
        )
        self.owned, self.revoked, self.read, self.assignments = set(), [], [], 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.poll, daemon=True)

    def subscribe(self, topic):
        self.consumer.subscribe([topic], listener=Listener(self))
        self.thread.start()
        return self

    def subscribe_pattern(self, pattern):
        self.consumer.subscribe(pattern=pattern, listener=Listener(self))
        self.thread.start()
        return self

    def poll(self):
        while not self.stop.is_set():
            polled = self.consumer.poll(timeout_ms=100)
            for records in polled.values():
                self.read += [(one.topic, one.partition, one.offset) for one in records]
            if polled:
                self.consumer.commit()
        self.consumer.close()

    close = LibrdkafkaMember.close


def wait(what, done):
    deadline = time.time() + DEADLINE_S
    while not done():
        assert time.time() < deadline, "in vain: " + what
        time.sleep(0.02)


class Scenarios:
    def __init__(self, bootstrap, member, name):
        self.bootstrap, self.member, self.name = bootstrap, member, name
        self.admin = confluent_kafka.admin.AdminClient({"bootstrap.servers": bootstrap})

    def create(self, topic, partitions):
        new = confluent_kafka.admin.NewTopic(topic, partitions, 1)
        for future in self.admin.create_topics([new]).values():
            future.result(DEADLINE_S)

    def write(self, topic, records):
        producer = confluent_kafka.Producer({"bootstrap.servers": self.bootstrap})
        for number in range(records):
            producer.produce(topic, b"value %d" % number, partition=number % 6)
        producer.flush()

    def members_share(self, assignor, revoked):
        topic = "%s-%s" % (self.name, assignor)
        self.create(topic, 6)
        first = self.member(self.bootstrap, topic, assignor).subscribe(topic)
        wait("the first member has all", lambda: len(first.owned) == 6)
        second = self.member(self.bootstrap, topic, assignor).subscribe(topic)
        wait("each has its half", lambda: len(first.owned) == 3 and len(second.owned) == 3)
        assert not first.owned & second.owned, "a partition has two owners"
        assert len(first.revoked) == revoked, first.revoked
        self.write(topic, 120)
        wait("all is read", lambda: len(first.read) + len(second.read) == 120)
        read = set(first.read + second.read)
        assert len(read) == 120, "a record was read twice"
        first.close()
        wait("the second member takes over", lambda: len(second.owned) == 6)
        second.close()
        self.write(topic, 30)
        third = self.member(self.bootstrap, topic, assignor).subscribe(topic)
        wait("a later member goes on", lambda: len(third.read) == 30)
        third.close()
        assert not read & set(third.read), "what was committed was read again"
        print("members share:", assignor)

    def static_members_come_back(self):
        topic = self.name + "-static"
        self.create(topic, 4)
        one = self.member(self.bootstrap, topic, instance="one").subscribe(topic)
        two = self.member(self.bootstrap, topic, instance="two").subscribe(topic)
        wait("static members share", lambda: len(one.owned) == 2 and len(two.owned) == 2)
        before, assignments = set(two.owned), one.assignments
        two.close()
        again = self.member(self.bootstrap, topic, instance="two").subscribe(topic)
        wait("the static member is back", lambda: len(again.owned) == 2)
        assert again.owned == before, (again.owned, before)
        assert one.assignments == assignments and len(one.owned) == 2, "the other was not left alone"
        again.close()
        one.close()
        print("static members come back")

    def topics_and_partitions_are_noticed(self):
        topic = self.name + "-grow"
        self.create(topic + "-1", 1)
        member = self.member(self.bootstrap, topic).subscribe_pattern("^%s-.*" % topic)
        wait("the topic that matches", lambda: len(member.owned) == 1)
        self.create(topic + "-2", 2)
        wait("a topic made later", lambda: len(member.owned) == 3)
        more = confluent_kafka.admin.NewPartitions(topic + "-1", 4)
        for future in self.admin.create_partitions([more]).values():
            future.result(DEADLINE_S)
        wait("partitions added later", lambda: len(member.owned) == 6)
        member.close()
        print("topics and partitions are noticed")


def run(client, bootstrap):
    if client == "librdkafka":
        scenarios = Scenarios(bootstrap, LibrdkafkaMember, client)
        scenarios.members_share("range", 6)
        scenarios.members_share("cooperative-sticky", 3)
        scenarios.static_members_come_back()
    else:
        scenarios = Scenarios(bootstrap, KafkaPythonMember, client)
        scenarios.members_share("range", 6)
    scenarios.topics_and_partitions_are_noticed()
    print("ran to its end")


def run_member(client, bootstrap, group, topic):
    """Prints what the member owns whenever that changes, until standard input ends."""
    kind = LibrdkafkaMember if client == "librdkafka" else KafkaPythonMember
    member, printed = kind(bootstrap, group).subscribe(topic), []
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        owned = sorted(partition for _, partition in set(member.owned))
        if owned != printed:
            print("owns", owned, flush=True)
            printed = owned
    member.close()


if sys.argv[2] == "scenarios":
    run(sys.argv[1], sys.argv[3])
else:
    run_member(sys.argv[1], *sys.argv[3:6])
