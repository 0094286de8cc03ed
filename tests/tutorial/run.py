"""Runs one of the printed programs against a broker of the test's.

    run.py PROGRAM BOOTSTRAP [--end-loop] [OLD NEW]...

What the page leaves out is added from outside, the program's text is left alone: the addresses that it prints become BOOTSTRAP,
also where it relies on the client's default of localhost:9092; the modules that it uses without importing them, and the
variables of its last program, are there; and that program, which is a piece of a function, becomes one.

Each OLD in the program's text becomes NEW: what later releases want said otherwise. An OLD that is not there is an error.

With `--end-loop` the loops over a consumer end after 15 silent seconds instead of never, so that what is printed below them runs too.
"""
import json
import logging
import re
import sys

import kafka
import msgpack

PRINTED = ["broker1:1234", "127.0.0.1:9092", "localhost:9092", "my.server.com"]

path, bootstrap, changes = sys.argv[1], sys.argv[2], sys.argv[3:]
kafka.KafkaProducer.DEFAULT_CONFIG["bootstrap_servers"] = bootstrap
kafka.KafkaConsumer.DEFAULT_CONFIG["bootstrap_servers"] = bootstrap
if changes[:1] == ["--end-loop"]:
    kafka.KafkaConsumer.DEFAULT_CONFIG["consumer_timeout_ms"] = 15000
    del changes[0]

with open(path, encoding="utf-8") as file:
    text = file.read()
for address in PRINTED:
    text = text.replace(address, bootstrap)
for old, new in zip(changes[::2], changes[1::2]):
    if old not in text:
        sys.exit("%s is not in %s" % (old, path))
    text = text.replace(old, new)
names = {"json": json, "log": logging, "msgpack": msgpack, "__name__": "__main__"}

if "\n    return\n" in text:
    from kafka.client_async import KafkaClient
    from kafka.protocol import admin

    class ConnectedClient(KafkaClient):
        """A client like the page's, which has had the time to connect: the raw `send` fails on a node it has just heard of."""

        def __init__(self, **configs):
            super().__init__(**configs)
            self.cluster.need_all_topic_metadata = True
            self.poll(timeout_ms=10000, future=self.cluster.request_update())
            while not self.ready(2):
                self.poll(timeout_ms=100)

    names.update(
        KafkaClient=ConnectedClient, admin=admin, brokers=bootstrap, topic="made-by-hand",
        num_partitions=3, configs={"retention.ms": "3600000"}, timeout_ms=10000,
    )
    text = "def program():\n" + re.sub("(?m)^", "    ", text) + "\nprogram()\n"

exec(compile(text, path, "exec"), names)
print("ran to its end")
