"""Record lines and the command line that every driver shares; ../README.md has the format. Knows no client."""

import argparse
import sys
from base64 import b64decode, b64encode

# A driver that cannot finish within this time says so instead of hanging its test.
DEADLINE_S = 120


def read_bytes(field):
    return None if field == "-" else b64decode(field)


def write_bytes(data):
    return "-" if data is None else b64encode(data).decode("ascii")


def read_records(lines):
    """Yields (topic, partition or None, timestamp, key, value, headers) for each line."""
    for line in lines:
        topic, partition, _, timestamp, key, value, *headers = line.rstrip("\n").split("\t")
        pairs = [
            (b64decode(name).decode("utf-8"), read_bytes(content))
            for name, content in zip(headers[::2], headers[1::2])
        ]
        where = None if partition == "-" else int(partition)
        yield topic, where, int(timestamp), read_bytes(key), read_bytes(value), pairs


def format_record(topic, partition, offset, timestamp, key, value, headers):
    fields = [topic, str(partition), str(offset), str(timestamp), write_bytes(key), write_bytes(value)]
    for name, content in headers or ():
        fields.append(write_bytes(name.encode("utf-8")))
        fields.append(write_bytes(content))
    return "\t".join(fields) + "\n"


def run(version, create, produce, consume, settings=None):
    """Parses the command line and calls the function that belongs to the command."""
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("version")
    for name in ("create", "produce", "consume", "settings"):
        command = commands.add_parser(name)
        command.add_argument("--bootstrap", required=True)
        if name == "produce":
            command.add_argument("--codec", required=True)
            command.add_argument("--idempotent", choices=("true", "false"), required=True)
        else:
            command.add_argument("--topic", dest="topics", action="append", required=True)
        if name == "create":
            command.add_argument("--partitions", type=int, required=True)
    args = parser.parse_args()
    if args.command == "version":
        print(version)
    elif args.command == "create":
        create(args.bootstrap, args.topics, args.partitions)
    elif args.command == "produce":
        places = produce(args.bootstrap, args.codec, args.idempotent == "true", read_records(sys.stdin))
        sys.stdout.writelines(f"{partition}\t{offset}\n" for partition, offset in places)
    elif args.command == "settings":
        if settings is None:
            raise SystemExit("this client has no settings command")
        for name, value, source in settings(args.bootstrap, args.topics[0]):
            print(f"{name}\t{value}\t{source}")
    else:
        consume(args.bootstrap, args.topics, sys.stdout.write)
