"""The grammar of pools.yaml: plain data to pools and back. Reading the file is the caller's.

All faults are reported at once, each with the file, the pool and the key. A key that is not there
says nothing, an empty one says "none": a stored pool keeps what the file says nothing about. Values of
options become texts; YAML's booleans become `true` and `false`, so that what an operator switches on
stays on. Host names of servers may be written with or without the trailing dot.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from designate import errors
from designate.model.pools import (
    AlsoNotify,
    CatalogZone,
    Nameserver,
    NsRecord,
    Pool,
    PoolSpec,
    Target,
)
from designate.model.tsigkeys import TSIG_ALGORITHMS
from designate.model.zones import PrimaryAddress

KEYS = (
    "name", "id", "description", "attributes", "ns_records", "nameservers", "targets",
    "also_notifies", "catalog_zone",
)  # fmt: skip
CATALOG_KEYS = (
    "catalog_zone_fqdn", "catalog_zone_refresh", "catalog_zone_tsig_key", "catalog_zone_tsig_algorithm",
)  # fmt: skip
TARGET_KEYS = ("type", "description", "tsigkey_id", "masters", "options")
ADDRESS_KEYS = ("host", "port")
LONGEST_NAME = 50
LONGEST_DESCRIPTION = 160
LONGEST_VALUE = 255
LONGEST_SECRET = 160
SECRET_WORDS = ("password", "secret", "token", "tsigkey_value")
MASK = "***"
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")


T = TypeVar("T", NsRecord, Nameserver, AlsoNotify, PrimaryAddress)


class _Faults:
    """Collects what is wrong. path: where in the file, for people."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.found: list[str] = []

    def add(self, path: str, problem: str) -> None:
        self.found.append(f"{self._source}: {path}: {problem}")


def parse(
    data: object, source: str, drivers: Collection[str] | None = None
) -> tuple[PoolSpec, ...]:
    """The pools. drivers: the known target types; None: not checked.

    Raises BadRequest that names every fault.
    """
    faults = _Faults(source)
    pools: list[PoolSpec] = []
    if not isinstance(data, list):
        faults.add("top level", "must be a list of pools")
        data = []
    for place, item in enumerate(data):
        label = f"pool {place + 1}"
        if not isinstance(item, dict):
            faults.add(label, "must be a mapping")
            continue
        pools.append(_pool(item, faults, f"pool {item.get('name', place + 1)}", drivers))
    for names in ([pool.name for pool in pools], [pool.id for pool in pools if pool.id]):
        for name in sorted({name for name in names if names.count(name) > 1}):
            faults.add(f"pool {name}", "is there more than once")
    if faults.found:
        raise errors.BadRequest("\n".join(faults.found))
    return tuple(pools)


def _pool(
    item: Mapping[str, Any], faults: _Faults, label: str, drivers: Collection[str] | None
) -> PoolSpec:
    _unknown(item, KEYS, faults, label)
    pool_id = item.get("id")
    return PoolSpec(
        left_out=tuple(key for key in KEYS if key not in item and key not in ("name", "id")),
        name=_text(item, "name", faults, label, LONGEST_NAME) or "",
        id=_uuid(pool_id, faults, f"{label}: id"),
        description=_text(item, "description", faults, label, LONGEST_DESCRIPTION, needed=False),
        attributes=_texts(item.get("attributes"), faults, f"{label}: attributes", LONGEST_NAME),
        ns_records=_once(
            [
                _ns_record(entry, faults, where)
                for where, entry in _entries(item, "ns_records", faults, label, filled=True)
            ],
            faults,
            f"{label}: ns_records",
        ),
        nameservers=_once(
            [
                Nameserver(
                    **_address(entry, faults, where, "tsigkey_id"),
                    tsigkey_id=_uuid(entry.get("tsigkey_id"), faults, f"{where}: tsigkey_id"),
                )
                for where, entry in _entries(item, "nameservers", faults, label, filled=True)
            ],
            faults,
            f"{label}: nameservers",
        ),
        targets=tuple(
            _target(entry, faults, where, drivers)
            for where, entry in _entries(item, "targets", faults, label, filled=True)
        ),
        also_notifies=_once(
            [
                AlsoNotify(**_address(entry, faults, where))
                for where, entry in _entries(item, "also_notifies", faults, label)
            ],
            faults,
            f"{label}: also_notifies",
        ),
        catalog_zone=_catalog(item.get("catalog_zone"), faults, f"{label}: catalog_zone"),
    )


def _ns_record(entry: Mapping[str, Any], faults: _Faults, where: str) -> NsRecord:
    _unknown(entry, ("hostname", "priority"), faults, where)
    hostname = _text(entry, "hostname", faults, where, LONGEST_VALUE) or ""
    if hostname and not hostname.endswith("."):
        faults.add(f"{where}: hostname", f"Domain {hostname} does not end with a dot")
    elif hostname and not _is_host(hostname):
        faults.add(f"{where}: hostname", f"{hostname} is not a host name")
    return NsRecord(
        hostname=hostname,
        priority=_number(entry.get("priority", 1), 10000, faults, f"{where}: priority"),
    )


def _catalog(entry: object, faults: _Faults, label: str) -> CatalogZone | None:
    if entry is None:
        return None
    if not isinstance(entry, dict):
        faults.add(label, "must be a mapping")
        return None
    _unknown(entry, CATALOG_KEYS, faults, label)
    fqdn = _text(entry, "catalog_zone_fqdn", faults, label, LONGEST_VALUE) or ""
    if fqdn and not fqdn.endswith("."):
        faults.add(f"{label}: catalog_zone_fqdn", f"Domain {fqdn} does not end with a dot")
    refresh = entry.get("catalog_zone_refresh")
    if refresh is not None and not (type(refresh) is int and 0 <= refresh < 2**31):
        faults.add(f"{label}: catalog_zone_refresh", f"must be a number from 0 to {2**31 - 1}")
        refresh = None
    algorithm = entry.get("catalog_zone_tsig_algorithm")
    secret = _text(entry, "catalog_zone_tsig_key", faults, label, LONGEST_SECRET, needed=False)
    if algorithm is not None and algorithm not in TSIG_ALGORITHMS:
        known = ", ".join(TSIG_ALGORITHMS)
        faults.add(f"{label}: catalog_zone_tsig_algorithm", f"must be one of {known}")
    if secret is not None and not _is_base64(secret):
        faults.add(f"{label}: catalog_zone_tsig_key", "must be base64")
    if (algorithm is None) != (secret is None):
        faults.add(label, "catalog_zone_tsig_key and catalog_zone_tsig_algorithm go together")
    return CatalogZone(fqdn=fqdn, refresh=refresh, algorithm=algorithm, secret=secret)


def _target(
    entry: Mapping[str, Any], faults: _Faults, where: str, drivers: Collection[str] | None
) -> Target:
    _unknown(entry, TARGET_KEYS, faults, where)
    kind = _text(entry, "type", faults, where, LONGEST_NAME) or ""
    if drivers is not None and kind and kind not in drivers:
        faults.add(f"{where}: type", f"Unable to find designate backend driver type: {kind}")
    return Target(
        type=kind,
        description=_text(entry, "description", faults, where, LONGEST_DESCRIPTION, needed=False),
        tsigkey_id=_uuid(entry.get("tsigkey_id"), faults, f"{where}: tsigkey_id"),
        masters=_once(
            [
                PrimaryAddress(**_address(master, faults, place))
                for place, master in _entries(entry, "masters", faults, where)
            ],
            faults,
            f"{where}: masters",
        ),
        options=_texts(entry.get("options"), faults, f"{where}: options", LONGEST_VALUE),
    )


def _unknown(item: Mapping[str, Any], known: Collection[str], faults: _Faults, label: str) -> None:
    for key in item:
        if key not in known:
            faults.add(f"{label}: {key}", f"is not a key here; known are {', '.join(known)}")


def _entries(
    item: Mapping[str, Any], key: str, faults: _Faults, label: str, *, filled: bool = False
) -> Iterable[tuple[str, Mapping[str, Any]]]:
    value = item.get(key)
    if filled and key in item and not value:
        faults.add(f"{label}: {key}", "must not be empty")
        return
    if value is None:
        return
    if not isinstance(value, list):
        faults.add(f"{label}: {key}", "must be a list")
        return
    for place, entry in enumerate(value):
        where = f"{label}: {key}[{place}]"
        if isinstance(entry, dict):
            yield where, entry
        else:
            faults.add(where, "must be a mapping")


def _text(
    item: Mapping[str, Any],
    key: str,
    faults: _Faults,
    label: str,
    longest: int,
    *,
    needed: bool = True,
) -> str | None:
    value = item.get(key)
    if value is None or (needed and value == ""):
        if needed:
            faults.add(f"{label}: {key}", "is needed")
        return None
    if not isinstance(value, str | int | float) or len(str(value)) > longest:
        faults.add(f"{label}: {key}", f"must be a text of at most {longest} characters")
        return None
    return str(value)


def _texts(value: object, faults: _Faults, label: str, longest: int) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        faults.add(label, "must be a mapping")
        return {}
    found = {}
    for key, item in value.items():
        text = str(item).lower() if isinstance(item, bool) else str(item)
        if isinstance(item, dict | list) or max(len(str(key)), len(text)) > longest:
            faults.add(f"{label}: {key}", f"must be a text of at most {longest} characters")
        elif item is not None:
            found[str(key)] = text
    return found


def _address(
    entry: Mapping[str, Any], faults: _Faults, where: str, *more_keys: str
) -> dict[str, Any]:
    _unknown(entry, (*ADDRESS_KEYS, *more_keys), faults, where)
    host = _text(entry, "host", faults, where, LONGEST_VALUE) or ""
    if host and not _is_host(host):
        faults.add(f"{where}: host", f"{host} is not an IP address or host name")
    return {
        "host": host,
        "port": _number(entry.get("port", 53), 65535, faults, f"{where}: port"),
    }


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except ValueError:
        return False


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        labels = text.removesuffix(".").split(".")
        # A last label of digits alone would be an address with a typing error.
        return all(_LABEL.fullmatch(label) for label in labels) and not labels[-1].isdigit()
    return True


def _same(host: str) -> str:
    """One text for all ways to write a host."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower().removesuffix(".")


def _once(found: list[T], faults: _Faults, where: str) -> tuple[T, ...]:
    """The same entry twice, whatever else it says, is a mistake."""
    seen = set()
    for item in found:
        if isinstance(item, NsRecord):
            key = item.hostname.lower()
        elif isinstance(item, Nameserver | AlsoNotify | PrimaryAddress):
            key = f"{_same(item.host)} port {item.port}"
        if key in seen:
            faults.add(where, f"{key} is there more than once")
        seen.add(key)
    return tuple(found)


def _number(value: object, highest: int, faults: _Faults, where: str) -> int:
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if not 1 <= number <= highest:
        faults.add(where, f"must be a number from 1 to {highest}")
        return 1
    return number


def _uuid(value: object, faults: _Faults, where: str) -> str | None:
    if value is None:
        return None
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        faults.add(where, f"Not a valid uuid: {value}")
        return None


def dump(pools: Iterable[Pool], *, secrets: bool = False) -> list[dict[str, Any]]:
    """Pools as plain data that parse() takes. secrets: show what is secret, else it is masked."""
    return [_dumped(pool, secrets) for pool in pools]


def _dumped(pool: Pool, secrets: bool) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": pool.id,
        "name": pool.name,
        "attributes": dict(pool.attributes),
        "ns_records": [{"hostname": n.hostname, "priority": n.priority} for n in pool.ns_records],
        "nameservers": [
            _present({"host": n.host, "port": n.port, "tsigkey_id": n.tsigkey_id})
            for n in pool.nameservers
        ],
        "targets": [
            _present(
                {
                    "type": target.type,
                    "description": target.description,
                    "tsigkey_id": target.tsigkey_id,
                    "masters": [{"host": m.host, "port": m.port} for m in target.masters],
                    "options": {k: _shown(k, v, secrets) for k, v in target.options.items()},
                }
            )
            for target in pool.targets
        ],
        "also_notifies": [{"host": a.host, "port": a.port} for a in pool.also_notifies],
    }
    if pool.description:
        plain["description"] = pool.description
    if pool.catalog_zone is not None:
        catalog = pool.catalog_zone
        plain["catalog_zone"] = _present(
            {
                "catalog_zone_fqdn": catalog.fqdn,
                "catalog_zone_refresh": catalog.refresh,
                "catalog_zone_tsig_key": catalog.secret
                and _shown("secret", catalog.secret, secrets),
                "catalog_zone_tsig_algorithm": catalog.algorithm,
            }
        )
    return plain


def _present(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if value is not None}


def is_secret(option: str) -> bool:
    """Whether an option's value must not be shown."""
    return any(word in option for word in SECRET_WORDS)


def _shown(option: str, value: str, secrets: bool) -> str:
    return MASK if is_secret(option) and not secrets else value
