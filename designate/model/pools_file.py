"""Parsing of pools.yaml, which is given as plain data.

All problems are reported at once, each with the file, the pool and the key. A stored pool keeps the
parts whose keys are missing, and lists and attributes that are null; an empty key removes the part.
Values of options become texts; YAML's booleans become `true` and `false`, as the options expect them,
and null leaves an option out. Numbers may be quoted. Host names of servers may have a trailing dot or
not.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from designate import errors
from designate.model import pools_file_fields as fields
from designate.model.pools import (
    AlsoNotify,
    CatalogZone,
    Nameserver,
    NsRecord,
    PoolSpec,
    Target,
)
from designate.model.pools_file_fields import Problems
from designate.model.tsigkeys import TSIG_ALGORITHMS
from designate.model.zones import PrimaryAddress

KEYS = (
    "name", "id", "description", "attributes", "ns_records", "nameservers", "targets",
    "also_notifies", "catalog_zone",
)  # fmt: skip
# A null keeps the stored part.
NULLABLE_KEYS = ("attributes", "ns_records", "nameservers", "targets", "also_notifies")
CATALOG_KEYS = (
    "catalog_zone_fqdn", "catalog_zone_refresh", "catalog_zone_tsig_key", "catalog_zone_tsig_algorithm",
)  # fmt: skip
TARGET_KEYS = ("type", "description", "tsigkey_id", "signs", "masters", "options")
ADDRESS_KEYS = ("host", "port")
MAX_NAME_LENGTH = 50
MAX_DESCRIPTION_LENGTH = 160
MAX_VALUE_LENGTH = 255
MAX_SECRET_LENGTH = 160

T = TypeVar("T", NsRecord, Nameserver, AlsoNotify, PrimaryAddress)


def parse(
    data: object, source: str, drivers: Collection[str] | None = None
) -> tuple[PoolSpec, ...]:
    """Return the pools that the file describes.

    Args:
        data: The file's content as plain data.
        source: The file's name, for the error messages.
        drivers: The known target types; None: not checked.

    Raises:
        BadRequest: The file is invalid; the message has a line for each problem.
    """
    problems = Problems(source)
    pools: list[PoolSpec] = []
    if not isinstance(data, list):
        problems.add("top level", "must be a list of pools")
        data = []
    for place, item in enumerate(data):
        label = f"pool {place + 1}"
        if not isinstance(item, dict):
            problems.add(label, "must be a mapping")
            continue
        pools.append(_pool(item, problems, f"pool {item.get('name', place + 1)}", drivers))
    for names in ([pool.name for pool in pools], [pool.id for pool in pools if pool.id]):
        for name in sorted({name for name in names if names.count(name) > 1}):
            problems.add(f"pool {name}", "is listed more than once")
    if problems.found:
        raise errors.BadRequest("\n".join(problems.found))
    return tuple(pools)


def _pool(
    item: Mapping[str, Any], problems: Problems, label: str, drivers: Collection[str] | None
) -> PoolSpec:
    fields.check_keys(item, KEYS, problems, label)
    pool_id = item.get("id")
    return PoolSpec(
        left_out=tuple(key for key in KEYS if _is_left_out(item, key)),
        name=fields.text(item, "name", problems, label, MAX_NAME_LENGTH) or "",
        id=fields.uuid_text(pool_id, problems, f"{label}: id"),
        description=fields.text(
            item, "description", problems, label, MAX_DESCRIPTION_LENGTH, required=False
        ),
        attributes=fields.text_map(
            item.get("attributes"), problems, f"{label}: attributes", MAX_NAME_LENGTH
        ),
        ns_records=_without_duplicates(
            [
                _ns_record(entry, problems, where)
                for where, entry in fields.mappings(
                    item, "ns_records", problems, label, non_empty=True
                )
            ],
            problems,
            f"{label}: ns_records",
        ),
        nameservers=_without_duplicates(
            [
                Nameserver(
                    **_address(entry, problems, where, "tsigkey_id", "signs"),
                    signs=fields.flag(entry, "signs", problems, where),
                    tsigkey_id=fields.uuid_text(
                        entry.get("tsigkey_id"), problems, f"{where}: tsigkey_id"
                    ),
                )
                for where, entry in fields.mappings(
                    item, "nameservers", problems, label, non_empty=True
                )
            ],
            problems,
            f"{label}: nameservers",
        ),
        targets=tuple(
            _target(entry, problems, where, drivers)
            for where, entry in fields.mappings(item, "targets", problems, label, non_empty=True)
        ),
        also_notifies=_without_duplicates(
            [
                AlsoNotify(**_address(entry, problems, where))
                for where, entry in fields.mappings(item, "also_notifies", problems, label)
            ],
            problems,
            f"{label}: also_notifies",
        ),
        catalog_zone=_catalog(item.get("catalog_zone"), problems, f"{label}: catalog_zone"),
    )


def _is_left_out(item: Mapping[str, Any], key: str) -> bool:
    """Return whether the pool keeps this part.

    A null list is left out as well: tools write one while they do not know its entries, as before the
    first nameserver is there.
    """
    if key in ("name", "id"):
        return False
    return key not in item or (key in NULLABLE_KEYS and item[key] is None)


def _ns_record(entry: Mapping[str, Any], problems: Problems, where: str) -> NsRecord:
    fields.check_keys(entry, ("hostname", "priority"), problems, where)
    hostname = fields.text(entry, "hostname", problems, where, MAX_VALUE_LENGTH) or ""
    if hostname and not hostname.endswith("."):
        problems.add(f"{where}: hostname", f"Domain {hostname} does not end with a dot")
    elif hostname and not fields.is_host(hostname):
        problems.add(f"{where}: hostname", f"{hostname} is not a host name")
    return NsRecord(
        hostname=hostname,
        priority=fields.number(
            fields.value_or(entry, "priority", 1), 10000, problems, f"{where}: priority"
        ),
    )


def _catalog(entry: object, problems: Problems, label: str) -> CatalogZone | None:
    if entry is None:
        return None
    if not isinstance(entry, dict):
        problems.add(label, "must be a mapping")
        return None
    fields.check_keys(entry, CATALOG_KEYS, problems, label)
    fqdn = fields.text(entry, "catalog_zone_fqdn", problems, label, MAX_VALUE_LENGTH) or ""
    if fqdn and not fqdn.endswith("."):
        problems.add(f"{label}: catalog_zone_fqdn", f"Domain {fqdn} does not end with a dot")
    refresh = entry.get("catalog_zone_refresh")
    if refresh is not None:
        refresh = fields.number(
            refresh, 2**31 - 1, problems, f"{label}: catalog_zone_refresh", minimum=0
        )
    algorithm = entry.get("catalog_zone_tsig_algorithm")
    secret = fields.text(
        entry, "catalog_zone_tsig_key", problems, label, MAX_SECRET_LENGTH, required=False
    )
    if algorithm is not None and algorithm not in TSIG_ALGORITHMS:
        known = ", ".join(TSIG_ALGORITHMS)
        problems.add(f"{label}: catalog_zone_tsig_algorithm", f"must be one of {known}")
    if secret is not None and not fields.is_base64(secret):
        problems.add(f"{label}: catalog_zone_tsig_key", "must be base64")
    if (algorithm is None) != (secret is None):
        problems.add(
            label, "catalog_zone_tsig_key and catalog_zone_tsig_algorithm must be set together"
        )
    return CatalogZone(fqdn=fqdn, refresh=refresh, algorithm=algorithm, secret=secret)


def _target(
    entry: Mapping[str, Any], problems: Problems, where: str, drivers: Collection[str] | None
) -> Target:
    fields.check_keys(entry, TARGET_KEYS, problems, where)
    kind = fields.text(entry, "type", problems, where, MAX_NAME_LENGTH) or ""
    if drivers is not None and kind and kind not in drivers:
        problems.add(f"{where}: type", f"Unable to find designate backend driver type: {kind}")
    return Target(
        type=kind,
        description=fields.text(
            entry, "description", problems, where, MAX_DESCRIPTION_LENGTH, required=False
        ),
        tsigkey_id=fields.uuid_text(entry.get("tsigkey_id"), problems, f"{where}: tsigkey_id"),
        signs=fields.flag(entry, "signs", problems, where),
        masters=_without_duplicates(
            [
                PrimaryAddress(**_address(master, problems, place))
                for place, master in fields.mappings(entry, "masters", problems, where)
            ],
            problems,
            f"{where}: masters",
        ),
        options=fields.text_map(
            entry.get("options"), problems, f"{where}: options", MAX_VALUE_LENGTH
        ),
    )


def _address(
    entry: Mapping[str, Any], problems: Problems, where: str, *more_keys: str
) -> dict[str, Any]:
    fields.check_keys(entry, (*ADDRESS_KEYS, *more_keys), problems, where)
    host = fields.text(entry, "host", problems, where, MAX_VALUE_LENGTH) or ""
    if host and not fields.is_host(host):
        problems.add(f"{where}: host", f"{host} is not an IP address or host name")
    return {
        "host": host,
        "port": fields.number(
            fields.value_or(entry, "port", 53), 65535, problems, f"{where}: port"
        ),
    }


def _canonical_host(host: str) -> str:
    """Return the same text for all spellings of a host."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host.lower().removesuffix(".")


def _without_duplicates(found: list[T], problems: Problems, where: str) -> tuple[T, ...]:
    """Return the entries; record a problem for each host or address that is repeated."""
    seen = set()
    for item in found:
        if isinstance(item, NsRecord):
            key = item.hostname.lower()
        elif isinstance(item, Nameserver | AlsoNotify | PrimaryAddress):
            key = f"{_canonical_host(item.host)} port {item.port}"
        if key in seen:
            problems.add(where, f"{key} is listed more than once")
        seen.add(key)
    return tuple(found)
