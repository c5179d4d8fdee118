"""The demo of the standalone service: creates records over REST and queries them over DNS.

It is an ordinary client of the running service, on real sockets, and can be repeated: existing
recordsets are updated to the demo's content.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

Address = tuple[str, int]

ZONE = "example.com."
TTL = 300
NEW_ZONE = {"name": ZONE, "email": "admin@example.com", "ttl": TTL}
RECORDS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("www.example.com.", "A", ("192.0.2.10", "192.0.2.11")),
    ("www.example.com.", "AAAA", ("2001:db8::10",)),
    ("example.com.", "MX", ("10 mail.example.com.",)),
    ("mail.example.com.", "A", ("192.0.2.25",)),
    ("example.com.", "TXT", ('"v=spf1 mx -all"',)),
    ("docs.example.com.", "CNAME", ("www.example.com.",)),
)
DEADLINE_S = 15.0
REQUEST_TIMEOUT_S = 10.0
QUERY_TIMEOUT_S = 2.0
POLL_S = 0.01


class DemoError(Exception):
    """The service did not respond as expected; the text is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One recordset from both sides; dns_text is the answer of DNS, or why there is none."""

    name: str
    type: str
    posted: str
    dns_text: str
    right: bool


def run(api: Address, nameserver: Address) -> bool:
    """Create the zone, wait until it is ACTIVE, query every record and print both sides.

    Returns:
        Whether every answer was right.
    """
    client = _Client(api)
    try:
        started_s = time.monotonic()
        zone_id = _zone(client)
        existing = _recordsets(client, zone_id)
        recordsets = [_recordset(client, zone_id, existing, *record) for record in RECORDS]
        posted_s = time.monotonic()
        zone = _wait_until_active(client, zone_id)
        active_s = time.monotonic()
        rows = [_soa_row(zone, nameserver), *(_row(item, nameserver) for item in recordsets)]
    except (DemoError, OSError, http.client.HTTPException) as error:
        print(f"The demo stopped: {error}", flush=True)
        return False
    finally:
        client.close()
    print(f"\nZone {ZONE} ({zone['id']}) is {zone['status']} at serial {zone['serial']}:")
    print(f"{len(RECORDS)} recordsets posted in {(posted_s - started_s) * 1000:.0f} ms, ", end="")
    print(f"ACTIVE {(active_s - posted_s) * 1000:.0f} ms after the last response.\n")
    for line in _table(rows, nameserver):
        print(line)
    wrong = sum(not row.right for row in rows)
    print(f"\n{len(rows) - wrong} of {len(rows)} answers are right.\n", flush=True)
    return not wrong


class _Client:
    """A client of the JSON API on one connection."""

    def __init__(self, api: Address) -> None:
        self._http = http.client.HTTPConnection(*api, timeout=REQUEST_TIMEOUT_S)

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and body. Raises DemoError for a 5xx and for a body that is not JSON."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        self._http.request(method, f"/v2{path}", text, headers)
        response = self._http.getresponse()
        raw = response.read()
        try:
            decoded = json.loads(raw)
        except ValueError:
            raise DemoError(f"{method} /v2{path}: {response.status} without JSON") from None
        if response.status >= 500:
            raise DemoError(f"{method} /v2{path}: {response.status} {decoded}")
        return response.status, decoded

    def require(self, method: str, path: str, body: object = None) -> Any:
        """Return the body of a 2xx response. Raises DemoError for another status."""
        status, decoded = self.call(method, path, body)
        if status >= 300:
            raise DemoError(f"{method} /v2{path}: {status} {decoded}")
        return decoded


def _zone(client: _Client) -> str:
    """Return the id of the demo's zone, which is created if it does not exist."""
    found = client.require("GET", f"/zones?name={ZONE}")["zones"]
    zone = found[0] if found else client.require("POST", "/zones", NEW_ZONE)
    return str(zone["id"])


def _recordsets(client: _Client, zone_id: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the recordsets of the zone by name and type."""
    found = client.require("GET", f"/zones/{zone_id}/recordsets?limit=1000")["recordsets"]
    return {(item["name"], item["type"]): item for item in found}


def _recordset(
    client: _Client,
    zone_id: str,
    existing: dict[tuple[str, str], dict[str, Any]],
    name: str,
    rtype: str,
    records: tuple[str, ...],
) -> dict[str, Any]:
    path = f"/zones/{zone_id}/recordsets"
    content = {"records": list(records), "ttl": TTL}
    recordset = existing.get((name, rtype))
    if recordset is None:
        recordset = client.require("POST", path, {"name": name, "type": rtype, **content})
    elif (set(recordset["records"]), recordset["ttl"]) != (set(records), TTL):
        recordset = client.require("PUT", f"{path}/{recordset['id']}", content)
    return recordset


def _wait_until_active(client: _Client, zone_id: str) -> dict[str, Any]:
    """Wait until the zone and its recordsets are ACTIVE, and return the zone."""
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        zone: dict[str, Any] = client.require("GET", f"/zones/{zone_id}")
        if zone["status"] == "ACTIVE" and all(
            item["status"] == "ACTIVE" for item in _recordsets(client, zone_id).values()
        ):
            return zone
        if time.monotonic() > deadline_s:
            raise DemoError(f"the zone is still {zone['status']} after {DEADLINE_S:.0f} s")
        time.sleep(POLL_S)


def _query(name: str, rtype: str, nameserver: Address) -> dns.rrset.RRset:
    """Query over UDP, at most three times, and return the RRset of the answer.

    Raises:
        DemoError: there is no such RRset; the text says what came instead.
    """
    question = dns.message.make_query(name, rtype)
    host, port = nameserver
    for attempt in (1, 2, 3):
        try:
            message = dns.query.udp(question, host, QUERY_TIMEOUT_S, port)
            break
        except dns.exception.Timeout:
            if attempt == 3:
                raise DemoError("no answer") from None
        except (dns.exception.DNSException, OSError) as error:
            raise DemoError(f"{type(error).__name__}: {error}") from None
    if message.rcode() != dns.rcode.NOERROR:
        raise DemoError(dns.rcode.to_text(message.rcode()))
    key = (dns.name.from_text(name), dns.rdataclass.IN, dns.rdatatype.from_text(rtype))
    rrset = message.get_rrset(message.answer, *key)
    if rrset is None:
        raise DemoError("no such record")
    return rrset


def _row(recordset: dict[str, Any], nameserver: Address) -> Row:
    name, rtype, records = recordset["name"], recordset["type"], recordset["records"]
    try:
        found = _query(name, rtype, nameserver)
        expected = dns.rrset.from_text(name, TTL, "IN", rtype, *records)
        right = found == expected and found.ttl == TTL
        dns_text = ", ".join(sorted(item.to_text() for item in found))
    except DemoError as error:
        right, dns_text = False, str(error)
    posted = ", ".join(sorted(records))
    return Row(name=name, type=rtype, posted=posted, dns_text=dns_text, right=right)


def _soa_row(zone: dict[str, Any], nameserver: Address) -> Row:
    """Compare the serial in DNS with the one of the API."""
    posted = f"serial {zone['serial']}"
    try:
        dns_text = f"serial {_query(ZONE, 'SOA', nameserver)[0].serial}"
    except DemoError as error:
        dns_text = str(error)
    return Row(name=ZONE, type="SOA", posted=posted, dns_text=dns_text, right=dns_text == posted)


def _table(rows: list[Row], nameserver: Address) -> Iterator[str]:
    head = ("name", "type", "REST", f"DNS {nameserver[0]}:{nameserver[1]}", "verdict")
    body = [
        (row.name, row.type, row.posted, row.dns_text, "ok" if row.right else "WRONG")
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
    for line in (head, tuple("-" * width for width in widths), *body):
        cells = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()
