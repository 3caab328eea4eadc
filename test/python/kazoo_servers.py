"""A plug-in for pytest: kazoo's own tests run on servers that are there, where its harness would start ZooKeepers of its own in Java.

`SAMSA_ZOOKEEPER` has the servers' ports and, behind a slash, the port that stops and starts them (`1,2,3/4`). Tests named in `SAMSA_LEFT_OUT`, a list
in JSON, are not run. Each result goes, as a line of JSON, into the file `SAMSA_RESULTS`.
"""
import json
import os
import sys
import types
import urllib.request

# The harness makes certificates with these for the servers that it would start.
for name in ("jks", "OpenSSL"):
    sys.modules.setdefault(name, types.ModuleType(name))

import kazoo.testing.harness as harness  # noqa: E402

PORTS, CONTROL = os.environ["SAMSA_ZOOKEEPER"].split("/")
LEFT_OUT = set(json.loads(os.environ["SAMSA_LEFT_OUT"]))


def told(what, port):
    urllib.request.urlopen(f"http://127.0.0.1:{CONTROL}/{what}/{port}", timeout=30).close()


class Server:
    """What kazoo.testing.common.ManagedZooKeeper is to the tests."""

    def __init__(self, port):
        self.client_port = port
        self.address = f"127.0.0.1:{port}"
        self.running = True

    def run(self):
        if not self.running:
            told("start", self.client_port)
        self.running = True

    def stop(self):
        if self.running:
            told("stop", self.client_port)
        self.running = False


class Cluster(list):
    """What kazoo.testing.common.ZookeeperCluster is to them. It outlives each of them."""

    def start(self):
        for server in self:
            server.run()

    def terminate(self):
        pass

    def get_logs(self):
        return []


CLUSTER = Cluster(Server(int(port)) for port in PORTS.split(","))
harness.get_global_cluster = lambda: CLUSTER


def say(test, outcome, words=""):
    with open(os.environ["SAMSA_RESULTS"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"test": test, "outcome": outcome, "words": words}) + "\n")


def named(nodeid):
    """`test_client.py::TestClient::test_get`: without the folders, which are others on each machine."""
    path, mark, rest = nodeid.partition("::")
    return path[path.rfind("/") + 1:] + mark + rest


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if named(item.nodeid) in LEFT_OUT]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
    for item in left_out:
        say(named(item.nodeid), "left out")


def pytest_runtest_logreport(report):
    # One that passed has three reports: before, itself, and after.
    if report.when == "call" or not report.passed:
        words = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr or "")
        say(named(report.nodeid), report.outcome, words[-4000:])


def pytest_collectreport(report):
    if report.failed:
        say(named(report.nodeid), "failed", str(report.longrepr)[-4000:])
