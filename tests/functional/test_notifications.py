"""The notifications for other services, as a listener receives them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from designate import notifications
from designate.context import Context
from designate.notifications import Notification, NotificationEmitter
from tests.support.clients.notifications import Heard, Listener
from tests.support.deadlines import scaled, until
from tests.support.servers.standalone import Service, make_conf

FAKE = """
[DEFAULT]
host = here
{more}
[oslo_messaging_notifications]
driver = messaging
transport_url = fake://
"""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}")
ALICE = {
    "X-Auth-Project-ID": "alice",
    "X-Auth-User-ID": "alice-user",
    "X-Auth-Token": "SECRET-TOKEN",
}
SECRET = base64.b64encode(b"secret of a key").decode()


def config_file(folder: Path, more: str = "") -> Path:
    path = folder / "designate.conf"
    path.write_text(FAKE.format(more=more))
    return path


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener("fake://") as found:
        yield found


@pytest.fixture
def service(
    tmp_path: Path,
    listener: Listener,  # noqa: ARG001 - it listens before anything is sent
) -> Iterator[Service]:
    with Service(tmp_path, config_file=config_file(tmp_path)) as found:
        yield found


def types(heard: list[Heard], prefix: str = "dns.") -> list[str]:
    return [h.type for h in heard if h.type.startswith(prefix)]


def test_the_life_of_a_zone(service: Service, listener: Listener) -> None:
    zone = service.zone("example.org.", attributes={"tier": "gold"}, description="mine")
    created = listener.wait("dns.zone.create")
    service.active(f"/zones/{zone['id']}")
    active = listener.wait("dns.zone.update", lambda h: h.payload["status"] == "ACTIVE")
    service.call("PATCH", f"/zones/{zone['id']}", {"ttl": 300})
    listener.wait("dns.zone.update", lambda h: h.payload["ttl"] == 300)
    service.call("DELETE", f"/zones/{zone['id']}")
    deleted = listener.wait("dns.zone.delete")
    gone = listener.wait("dns.zone.update", lambda h: h.payload["status"] == "DELETED")

    first = [h for h in listener.heard if h.type.startswith(("dns.domain.", "dns.zone."))][:2]
    assert types(first) == ["dns.domain.create", "dns.zone.create"]
    twin = next(h for h in listener.heard if h.type == "dns.domain.create")
    assert (twin.payload, twin.publisher) == (created.payload, "central.here")
    assert created.priority == "info"
    payload = created.payload
    assert MOMENT.fullmatch(payload.pop("created_at"))
    (attribute,) = payload.pop("attributes")
    assert (attribute["key"], attribute["value"]) == ("tier", "gold")
    assert attribute["zone_id"] == zone["id"]
    assert payload == {
        "id": zone["id"], "name": "example.org.", "email": zone["email"], "ttl": 3600,
        "refresh": payload["refresh"], "retry": 600, "expire": 86400, "minimum": 3600,
        "serial": zone["serial"], "type": "PRIMARY", "tenant_id": zone["project_id"],
        "pool_id": zone["pool_id"], "parent_zone_id": None, "shard": int(zone["id"][:3], 16),
        "description": "mine", "status": "PENDING", "action": "CREATE", "transferred_at": None,
        "delayed_notify": False, "increment_serial": False, "masters": [], "updated_at": None,
        "version": 1, "deleted": "0", "deleted_at": None, "shared": False,
    }  # fmt: skip
    assert active.payload["action"] == "NONE"
    assert (deleted.payload["action"], deleted.payload["status"]) == ("DELETE", "PENDING")
    assert gone.payload["deleted"] == zone["id"].replace("-", "")
    assert MOMENT.fullmatch(gone.payload["deleted_at"])


def test_reports_that_say_nothing_new_are_not_told(service: Service, listener: Listener) -> None:
    zone = service.zone("example.org.")
    service.active(f"/zones/{zone['id']}")
    service.zone("later.example.")
    listener.wait("dns.zone.update", lambda h: h.payload["name"] == "later.example.")

    mine = [h for h in listener.heard if h.payload["id"] == zone["id"]]
    assert types(mine, "dns.zone.") == ["dns.zone.create", "dns.zone.update"]


def test_the_life_of_a_recordset(service: Service, listener: Listener) -> None:
    zone = service.zone("example.org.")
    recordset = service.recordset(zone, "www.example.org.", "A", ["192.0.2.1", "192.0.2.2"])
    created = listener.wait("dns.recordset.create").payload
    path = f"/zones/{zone['id']}/recordsets/{recordset['id']}"
    service.call("PUT", path, {"records": ["192.0.2.3"], "ttl": 60})
    updated = listener.wait("dns.recordset.update").payload
    service.call("DELETE", path)
    deleted = listener.wait("dns.recordset.delete").payload

    first, second = created.pop("records")
    assert created == {
        "id": recordset["id"], "zone_id": zone["id"], "zone_name": "example.org.",
        "tenant_id": zone["project_id"], "name": "www.example.org.", "type": "A", "ttl": None,
        "description": None, "action": "CREATE", "status": "PENDING",
        "created_at": created["created_at"], "updated_at": None, "version": 1,
    }  # fmt: skip
    assert (first["data"], second["data"]) == ("192.0.2.1", "192.0.2.2")
    assert first["id"] != second["id"]
    assert first["hash"] != second["hash"]
    assert set(first) == {
        "id", "data", "description", "hash", "action", "status", "zone_id", "recordset_id",
        "tenant_id", "managed", "managed_extra", "managed_plugin_name", "managed_plugin_type",
        "managed_resource_id", "managed_resource_region", "managed_resource_type",
        "managed_tenant_id", "created_at", "updated_at", "version",
    }  # fmt: skip
    assert [record["data"] for record in updated["records"]] == ["192.0.2.3"]
    assert (updated["ttl"], updated["version"]) == (60, 2)
    assert (deleted["action"], deleted["status"]) == ("DELETE", "PENDING")


def test_what_administrators_keep_is_told_without_secrets(
    service: Service, listener: Listener
) -> None:
    for kind, one, body, patch in (
        ("tlds", "tld", {"name": "org"}, {"description": "d"}),
        ("blacklists", "blacklist", {"pattern": "x.*"}, {"description": "d"}),
        (
            "tsigkeys",
            "tsigkey",
            {
                "name": "key",
                "algorithm": "hmac-sha256",
                "secret": SECRET,
                "scope": "POOL",
                "resource_id": "794ccc2c-d751-44fe-b57f-8894c9f5c842",
            },
            {"secret": SECRET[::-1]},
        ),
    ):
        status, made = service.call("POST", f"/{kind}", body)
        assert status == 201, made
        assert service.call("PATCH", f"/{kind}/{made['id']}", patch)[0] == 200
        assert service.call("DELETE", f"/{kind}/{made['id']}")[0] == 204
        for event in ("create", "update", "delete"):
            heard = listener.wait(f"dns.{one}.{event}")
            assert heard.payload["id"] == made["id"]
            assert "secret" not in heard.payload
        if "name" in body:
            assert listener.wait(f"dns.{one}.create").payload["name"] == body["name"]

    everything = json.dumps([(h.payload, h.context) for h in listener.heard])
    assert SECRET not in everything
    assert SECRET[::-1] not in everything


def test_pools_are_told_of_with_their_credentials_masked(
    service: Service, listener: Listener
) -> None:
    status, pool = service.call(
        "POST",
        "/pools",
        {"name": "p", "ns_records": [{"hostname": "ns.p.example.", "priority": 1}]},
    )
    assert status == 201, pool
    created = listener.wait("dns.pool.create", lambda h: h.payload["name"] == "p").payload
    service.call("PATCH", f"/pools/{pool['id']}", {"description": "d"})
    listener.wait("dns.pool.update", lambda h: h.payload["description"] == "d")
    service.call("DELETE", f"/pools/{pool['id']}")
    listener.wait("dns.pool.delete")

    assert created["ns_records"] == [{"hostname": "ns.p.example.", "priority": 1}]
    assert {"attributes", "nameservers", "targets", "also_notifies", "provisioner"} <= set(created)


def test_shares_and_transfers(service: Service, listener: Listener) -> None:
    zone = service.zone("example.org.")
    status, share = service.call(
        "POST", f"/zones/{zone['id']}/shares", {"target_project_id": "bob"}
    )
    assert status == 201, share
    assert listener.wait("dns.zone.share").payload == {
        "id": share["id"], "zone_id": zone["id"], "project_id": share["project_id"],
        "target_project_id": "bob", "created_at": listener.wait("dns.zone.share").payload["created_at"],
        "updated_at": None,
    }  # fmt: skip
    service.call("DELETE", f"/zones/{zone['id']}/shares/{share['id']}")
    listener.wait("dns.zone.unshare")
    requests = "/zones/tasks/transfer_requests"
    _, request = service.call("POST", f"/zones/{zone['id']}/tasks/transfer_requests", {})
    service.call("PATCH", f"{requests}/{request['id']}", {"description": "d"})
    status, accept = service.call(
        "POST",
        "/zones/tasks/transfer_accepts",
        {"key": request["key"], "zone_transfer_request_id": request["id"]},
        **ALICE,
    )
    assert status == 201, accept
    heard = [
        listener.wait(f"dns.zone_transfer_{event}")
        for event in ("request.create", "request.update", "accept.create")
    ]
    moved = listener.wait("dns.zone.update", lambda h: h.payload["tenant_id"] == "alice")
    service.call("DELETE", f"{requests}/{request['id']}")
    listener.wait("dns.zone_transfer_request.delete")

    assert moved.payload["id"] == zone["id"]
    assert heard[2].context["user_id"] == "alice-user"
    assert heard[2].context["project_id"] == "alice"
    assert "SECRET-TOKEN" not in json.dumps([h.context for h in listener.heard])
    assert request["key"] not in json.dumps([h.payload for h in listener.heard])


def test_imports_and_exports(service: Service, listener: Listener) -> None:
    text = "$ORIGIN example.org.\n@ 300 IN SOA ns.example.org. a.example.org. 5 60 60 60 60\n"
    answer = service.http.post(
        f"{service.url}/v2/zones/tasks/imports",
        data=text,
        headers={"Content-Type": "text/dns"},
        timeout=scaled(10),
    )
    assert answer.status_code == 202, answer.text
    made = listener.wait("dns.zone_import.create").payload
    done = listener.wait("dns.zone_import.update").payload
    created = listener.wait("dns.zone.create").payload
    assert (made["status"], made["task_type"], made["zone_id"]) == ("PENDING", "IMPORT", None)
    assert (done["status"], done["zone_id"]) == ("COMPLETE", created["id"])
    assert done["message"] == "example.org. imported"
    _, export = service.call("POST", f"/zones/{created['id']}/tasks/export")
    assert listener.wait("dns.zone_export.create").payload["task_type"] == "EXPORT"
    location = listener.wait("dns.zone_export.update").payload["location"]
    assert export["id"] in location
    service.call("DELETE", f"/zones/tasks/exports/{export['id']}")
    service.call("DELETE", f"/zones/tasks/imports/{answer.json()['id']}")
    listener.wait("dns.zone_export.delete")
    listener.wait("dns.zone_import.delete")


def test_what_was_refused_is_not_told(service: Service, listener: Listener) -> None:
    service.zone("example.org.")
    assert (
        service.call("POST", "/zones", {"name": "example.org.", "email": "a@b.example"})[0] == 409
    )
    service.zone("last.example.")
    listener.wait("dns.zone.create", lambda h: h.payload["name"] == "last.example.")

    names = [h.payload["name"] for h in listener.heard if h.type == "dns.zone.create"]
    assert names == ["example.org.", "last.example."]


def test_the_audit_plugin_tells_each_change(tmp_path: Path, listener: Listener) -> None:
    path = config_file(tmp_path, "notification_plugin = audit")
    with Service(tmp_path, config_file=path) as service:
        zone = service.zone("example.org.")
        recordset = service.recordset(zone, "www.example.org.", "A", ["192.0.2.1"])
        service.active(f"/zones/{zone['id']}")
        body = {"records": ["192.0.2.2", "192.0.2.3"], "ttl": 60}
        service.call("PUT", f"/zones/{zone['id']}/recordsets/{recordset['id']}", body)
        records = listener.wait("dns.recordset.update", _changes("records")).payload
        ttl = listener.wait("dns.recordset.update", _changes("ttl")).payload
        service.call("PATCH", f"/zones/{zone['id']}", {"ttl": 300})
        zone_ttl = listener.wait("dns.zone.update", _changes("ttl")).payload

    head = {"zone_name": "example.org.", "zone_id": zone["id"]}
    named = {**head, "recordset_name": "www.example.org."}
    assert listener.wait("dns.zone.create").payload == {
        **head, "recordset_name": None, "changed_field": None, "old_data": None, "new_data": None,
    }  # fmt: skip
    assert listener.wait("dns.recordset.create").payload == {
        **named, "changed_field": "records", "old_data": "", "new_data": "192.0.2.1",
    }  # fmt: skip
    assert (records["old_data"], records["new_data"]) == ("192.0.2.1", "192.0.2.2 192.0.2.3")
    assert (ttl["old_data"], ttl["new_data"]) == ("None", "60")
    assert zone_ttl == {
        **head, "recordset_name": None, "changed_field": "ttl", "old_data": "3600",
        "new_data": "300",
    }  # fmt: skip


def _changes(field: str):
    return lambda heard: heard.payload["changed_field"] == field


def test_without_the_group_nothing_is_made(tmp_path: Path, listener: Listener) -> None:
    notifier = NotificationEmitter(make_conf(tmp_path), "central")
    notifier.start()
    notifier.put(Context(), Notification("dns.zone.create", object()))
    notifier.stop()

    assert (notifier.enabled, notifier.dropped, listener.heard) == (False, 0, [])


def test_a_plugin_that_is_not_there_is_named(tmp_path: Path) -> None:
    conf = make_conf(tmp_path, config_file=config_file(tmp_path, "notification_plugin = nope"))
    with pytest.raises(notifications.errors.ConfigurationError, match="nope"):
        NotificationEmitter(conf, "central")


def test_what_finds_no_room_is_counted_and_the_newest_stay(
    tmp_path: Path, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = NotificationEmitter(
        make_conf(tmp_path, config_file=config_file(tmp_path)), "central"
    )
    for number in range(notifications.MAX_WAITING + 7):
        notifier.put(Context(), Notification("dns.test", {"number": number}))
    notifier.start()
    notifier.stop()

    until(lambda: len(listener.heard) == notifications.MAX_WAITING, 30, "a full queue sent")
    assert notifier.dropped == 7
    assert listener.heard[0].payload == {"number": 7}
    assert caplog.text.count("dropped so far") == 1
