"""Differences between a stored pool and its declaration in pools.yaml, as text for operators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from designate.model import pools_file_dump
from designate.model.pools import Pool, PoolChange, PoolSpec

PARTS = (
    "name",
    "description",
    "attributes",
    "ns_records",
    "nameservers",
    "targets",
    "also_notifies",
    "catalog_zone",
)


def differences(current: Pool, spec: PoolSpec) -> Iterator[PoolChange]:
    """Yield the changes that turn the stored pool into the declared one, without secrets."""
    for part in PARTS:
        old, new = getattr(current, part), getattr(spec, part)
        if old == new:
            continue
        removed, added = _split(old, new)
        if isinstance(old, tuple) and removed is not old and len(removed) == len(added):
            # Pair changed entries, and show only the members that differ.
            for before, after in zip(removed, added, strict=True):
                yield _change(
                    current,
                    f"{part}[{old.index(before) + 1}]",
                    _differing_members(before, after),
                    _differing_members(after, before),
                )
        else:
            yield _change(current, part, removed, added)


def _change(pool: Pool, path: str, old: Any, new: Any) -> PoolChange:
    before, after = _text(old), _text(new)
    if before == after:
        # Only secrets differ.
        after = after.replace(pools_file_dump.MASK, f"{pools_file_dump.MASK} (changed)")
    return PoolChange(pool=pool.name, kind="update", path=path, old=before, new=after)


def _split(old: Any, new: Any) -> tuple[Any, Any]:
    """Return what only the old and only the new value has; both values if only their order differs."""
    if isinstance(old, tuple):
        removed = tuple(item for item in old if item not in new)
        added = tuple(item for item in new if item not in old)
        return (removed, added) if removed or added else (old, new)
    if isinstance(old, dict):
        return _differing_members(old, new), _differing_members(new, old)
    return old, new


def _differing_members(value: Any, other: Any) -> dict[str, Any]:
    """Return the members of the value that the other value lacks or has different."""
    if isinstance(value, Mapping):
        return {key: item for key, item in value.items() if other.get(key) != item}
    found: dict[str, Any] = {}
    for name in value.__dataclass_fields__:
        own, others = getattr(value, name), getattr(other, name)
        if isinstance(own, Mapping):
            found |= _differing_members(own, others)
        elif own != others:
            found[name] = own
    return found


def _text(value: Any) -> str:
    """Return a value as text for operators, with secrets masked."""
    if isinstance(value, tuple):
        return "; ".join(_text(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{k}={_masked(k, _text(v))}" for k, v in value.items()) or "none"
    if hasattr(value, "__dataclass_fields__"):
        members = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
        return " ".join(
            f"{name}={_masked(name, _text(item))}"
            for name, item in members
            if item is not False and item not in (None, (), {})
        )
    return "none" if value is None else str(value)


def _masked(name: str, value: str) -> str:
    return pools_file_dump.MASK if pools_file_dump.is_secret(name) else value
