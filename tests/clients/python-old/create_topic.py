"""Creates a topic with the oldest request there is, on a raw connection, as programs for kafka-python 1.3.3 and 1.3.4 do.

    create_topic.py BOOTSTRAP TOPIC NODE_ID
"""
import sys

from kafka.client_async import KafkaClient
from kafka.protocol import admin

brokers, topic, controller = sys.argv[1], sys.argv[2], int(sys.argv[3])
num_partitions, configs, timeout_ms = 3, {"retention.ms": "3600000"}, 10000


def create():
    client = KafkaClient(bootstrap_servers=brokers)
    client.cluster.need_all_topic_metadata = True
    client.poll(timeout_ms=timeout_ms, future=client.cluster.request_update(), sleep=False)
    if topic not in client.cluster.topics(exclude_internal_topics=True):
        request = admin.CreateTopicsRequest_v0(
            create_topic_requests=[(
                topic,
                num_partitions,
                -1,
                [],
                [(key, value) for key, value in configs.items()],
            )],
            timeout=timeout_ms
        )
        while not client.ready(controller):
            client.poll(timeout_ms=100)
        future = client.send(controller, request)
        client.poll(timeout_ms=timeout_ms, future=future, sleep=False)
        result = future.value
        print("CREATE TOPIC RESPONSE: ", result)
        client.close()
    else:
        print("Topic already exists!")


create()
create()
