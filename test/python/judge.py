"""kafka-python as a judge of what samsa writes, reads and shares.

`judge.py produce|consume` takes one JSON object on stdin and answers with JSON; `judge.py member SETTINGS` is a member of a classic group that
says JSON lines and obeys JSON lines (test/support/foreign-member.ts). Bytes travel as base64, in a member's lines as text.
"""
import base64
import json
import logging
import os
import queue
import sys
import threading
import time

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

ASSIGNORS = {each.name: each for each in
             (RangePartitionAssignor, RoundRobinPartitionAssignor, StickyPartitionAssignor, CooperativeStickyAssignor)}


def encoded(value):
    return None if value is None else base64.b64encode(value).decode()


def decoded(text):
    return None if text is None else base64.b64decode(text)


def produce(given):
    codec = None if given["codec"] == "none" else given["codec"]
    producer = KafkaProducer(bootstrap_servers=given["bootstrap"], acks="all", compression_type=codec, linger_ms=20,
                             enable_idempotence=True)
    sent = [producer.send(given["topic"], partition=given["partition"], key=decoded(each["key"]), value=decoded(each["value"]),
                          headers=[(name, decoded(value)) for name, value in each["headers"]]) for each in given["records"]]
    for future in sent:
        future.get(30)
    producer.close()
    return len(sent)


def consume(given):
    place = TopicPartition(given["topic"], given["partition"])
    consumer = KafkaConsumer(bootstrap_servers=given["bootstrap"], enable_auto_commit=False, check_crcs=True)
    consumer.assign([place])
    consumer.seek_to_beginning(place)
    end = consumer.end_offsets([place])[place]
    records = []
    while consumer.position(place) < end:
        for record in consumer.poll(timeout_ms=500).get(place, []):
            records.append({"key": encoded(record.key), "value": encoded(record.value),
                            "headers": [[name, encoded(value)] for name, value in record.headers]})
    consumer.close()
    return records


def say(kind, **facts):
    sys.stdout.write(json.dumps({"type": kind, "at": int(time.time() * 1000), **facts}) + "\n")
    sys.stdout.flush()


def name_of(place):
    return "%s/%d" % (place.topic, place.partition)


class Member(ConsumerRebalanceListener):
    """Listeners run on kafka-python's own loop, where it may not wait for a commit: each poll's records are committed before the next poll,
    and between the two nothing is in hand."""

    def __init__(self, settings):
        self.given = {}
        self.commands = queue.Queue()
        self.consumer = KafkaConsumer(
            bootstrap_servers=settings["bootstrap"], group_id=settings["group"], client_id="kafka-python",
            enable_auto_commit=False, auto_offset_reset="earliest", metadata_max_age_ms=1000,
            session_timeout_ms=settings["sessionTimeoutMs"], heartbeat_interval_ms=settings["heartbeatIntervalMs"],
            partition_assignment_strategy=[ASSIGNORS[each] for each in settings["assignors"]])
        # One that leads before it knows the topics divides nothing, and may stay at that for ever.
        for topic in settings["topics"]:
            while not self.consumer.partitions_for_topic(topic):
                time.sleep(0.1)
        self.consumer.subscribe(topics=settings["topics"], listener=self)

    def on_partitions_revoked(self, revoked):
        self.forget(revoked)
        say("revoked", partitions=sorted(map(name_of, revoked)))

    def on_partitions_assigned(self, assigned):
        say("assigned", partitions=sorted(map(name_of, assigned)))

    def on_partitions_lost(self, lost):
        self.forget(lost)
        say("lost", partitions=sorted(map(name_of, lost)))

    def run(self):
        while True:
            try:
                if not self.obey(self.commands.get_nowait()):
                    return
            except queue.Empty:
                pass
            # A short one is over before a join is, and a leader whose join is cut off there never syncs its group.
            polled = self.consumer.poll(timeout_ms=1000)
            if not polled:
                continue
            records = []
            for place, batch in polled.items():
                self.given[place] = batch[-1].offset + 1
                records.extend(batch)
            say("polled", records=[{"topic": each.topic, "partition": each.partition, "offset": each.offset,
                                    "key": text_of(each.key), "value": text_of(each.value)} for each in records])
            self.commit()

    def obey(self, command):
        if command["do"] == "commit":
            self.commit()
        elif command["do"] == "stall":
            time.sleep(command["ms"] / 1000)
        elif command["do"] == "close":
            self.consumer.close(autocommit=False)
            say("closed")
            return False
        else:
            say("trouble", message="no such command: %s" % command)
        return True

    def forget(self, places):
        for place in places:
            self.given.pop(place, None)

    def commit(self):
        """What is refused is tried again with the next, if it is still ours."""
        given = dict(self.given)
        offsets = {name_of(place): next_offset for place, next_offset in given.items()}
        try:
            self.consumer.commit({place: OffsetAndMetadata(next_offset, "", -1) for place, next_offset in given.items()})
            for place, next_offset in given.items():
                if self.given.get(place) == next_offset:
                    del self.given[place]
            say("committed", offsets=offsets)
        except KafkaError as error:
            say("committed", offsets=offsets, error=repr(error))


def text_of(value):
    return None if value is None else value.decode()


def read_commands(commands):
    for line in sys.stdin:
        commands.put(json.loads(line))
    os._exit(1)  # Whoever started it is gone.


def main():
    what = sys.argv[1]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("kafka.cluster").setLevel(logging.WARNING)
    if what == "member":
        member = Member(json.loads(sys.argv[2]))
        threading.Thread(target=read_commands, args=(member.commands,), daemon=True).start()
        say("started")
        member.run()
        os._exit(0)
    json.dump({"produce": produce, "consume": consume}[what](json.load(sys.stdin)), sys.stdout)


main()
