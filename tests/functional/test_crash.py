"""A killed process: every change that was accepted exists after the restart."""

import contextlib
import http.client
import signal
import threading

from tests.perf.client import Client, Process
from tests.support.deadlines import scaled, until
from tests.support.servers.nameservers import Named
from tests.support.servers.standalone import ask, texts


def create_until_killed(port, zone, done, accepted):
    """Create recordsets one after the other; collect those that got a 2xx response."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        client = Client(port)
        for number in range(100):
            name = f"n{number}-{threading.get_ident()}.{zone['name']}"
            body = {"name": name, "type": "A", "records": ["192.0.2.1"]}
            made = client.call("POST", f"/zones/{zone['id']}/recordsets", body)
            accepted.append((made["id"], name))
            done.release()


def test_kill_9_in_the_middle_of_100_creations_loses_nothing(tmp_path):
    with Named(tmp_path / "bind") as bind, Process.before(bind, tmp_path / "service") as process:
        zone = process.zone(Client(process.api), "crash.example.")
        accepted: list[tuple[str, str]] = []
        done = threading.Semaphore(0)
        threads = [
            threading.Thread(target=create_until_killed, args=(process.api, zone, done, accepted))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for _ in range(50):
            assert done.acquire(timeout=scaled(20))
        process.stop(signal.SIGKILL)
        for thread in threads:
            thread.join(scaled(30))
        process.start()
        client = Client(process.api)
        path = f"/zones/{zone['id']}"
        until(lambda: client.call("GET", path)["status"] == "ACTIVE", 10, "the zone ACTIVE")

        assert 50 <= len(accepted) < 400
        for recordset_id, name in accepted:
            shown = client.call("GET", f"{path}/recordsets/{recordset_id}")
            assert (shown["name"], shown["status"]) == (name, "ACTIVE")
            assert texts(ask(("127.0.0.1", bind.port), name, "A")) == {"192.0.2.1"}


def test_kill_9_right_after_a_zone_was_accepted_still_creates_and_deletes_it(tmp_path):
    with Named(tmp_path / "bind") as bind, Process.before(bind, tmp_path / "service") as process:
        client = Client(process.api)
        old = process.zone(client, "old.example.")
        new = client.call("POST", "/zones", {"name": "new.example.", "email": "a@b.c"})
        client.call("DELETE", f"/zones/{old['id']}")
        process.stop(signal.SIGKILL)
        process.start()
        client = Client(process.api)
        until(lambda: client.call("GET", f"/zones/{new['id']}")["status"] == "ACTIVE", 10)
        until(lambda: not client.call("GET", "/zones?name=old.example.")["zones"], 10)

        address = ("127.0.0.1", bind.port)
        assert texts(ask(address, "new.example.", "NS")) == {"ns1.example.org."}
        assert ask(address, "old.example.", "SOA").rcode() == 5
