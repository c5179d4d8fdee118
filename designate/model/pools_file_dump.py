"""Writing pools as plain data in the grammar of pools.yaml, with secrets masked on request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from designate.model.pools import Pool

SECRET_WORDS = ("password", "secret", "token", "tsigkey_value")
MASK = "***"


def dump(pools: Iterable[Pool], *, secrets: bool = False) -> list[dict[str, Any]]:
    """Return the pools as plain data that `pools_file.parse` accepts.

    secrets: include secret values; otherwise they are masked.
    """
    return [_plain(pool, secrets) for pool in pools]


def _plain(pool: Pool, secrets: bool) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": pool.id,
        "name": pool.name,
        "attributes": dict(pool.attributes),
        "ns_records": [{"hostname": n.hostname, "priority": n.priority} for n in pool.ns_records],
        "nameservers": [
            _without_none(
                {
                    "host": n.host,
                    "port": n.port,
                    "tsigkey_id": n.tsigkey_id,
                    "signs": n.signs or None,
                }
            )
            for n in pool.nameservers
        ],
        "targets": [
            _without_none(
                {
                    "type": target.type,
                    "description": target.description,
                    "tsigkey_id": target.tsigkey_id,
                    "signs": target.signs or None,
                    "masters": [{"host": m.host, "port": m.port} for m in target.masters],
                    "options": {k: _masked(k, v, secrets) for k, v in target.options.items()},
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
        plain["catalog_zone"] = _without_none(
            {
                "catalog_zone_fqdn": catalog.fqdn,
                "catalog_zone_refresh": catalog.refresh,
                "catalog_zone_tsig_key": catalog.secret
                and _masked("secret", catalog.secret, secrets),
                "catalog_zone_tsig_algorithm": catalog.algorithm,
            }
        )
    return plain


def _without_none(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if value is not None}


def is_secret(option: str) -> bool:
    """Return whether an option's value must not be shown."""
    return any(word in option for word in SECRET_WORDS)


def _masked(option: str, value: str, secrets: bool) -> str:
    return MASK if is_secret(option) and not secrets else value
