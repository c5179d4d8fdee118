"""Zones as BIND 9 describes them, and the statements that target options add to them."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from itertools import pairwise

from designate import errors
from designate.backend import bind_config
from designate.backend.primaries import Address, text
from designate.model.zones import ZoneAnnouncement

SECONDARY = {"slave", "secondary"}
_OWN_STATEMENTS = {"type", "file", "masters", "primaries"}

# Host, port, and the name of the key or "".
Primary = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class ShownZone:
    """A zone as BIND's command showzone describes it.

    Attributes:
        type: such as slave, secondary or primary.
        file: the name of its file; empty without one.
        listed: its primaries; none if a name stands among them.
        more: all other statements, sorted.
    """

    type: str
    file: str
    listed: tuple[Primary, ...]
    more: tuple[bind_config.Statement, ...]

    @classmethod
    def of(cls, shown: str) -> ShownZone:
        """Read the reply. Raises BackendError if it is malformed."""
        try:
            # zone "example.org" IN { ...; };
            ((*_, block),) = bind_config.parse(shown)
        except ValueError:
            raise errors.BackendError(f"showzone: malformed reply: {shown[:200]}") from None
        statements = block.statements if isinstance(block, bind_config.Block) else ()
        return cls(
            _word(bind_config.value_of(statements, "type")),
            _word(bind_config.value_of(statements, "file")),
            _primaries_of(bind_config.value_of(statements, "masters", "primaries")),
            _without_own(statements),
        )

    @property
    def kind(self) -> str:
        """The zone for people."""
        if self.type not in SECONDARY:
            return f"type {self.type or 'unknown'}"
        listed = ", ".join(text(address) for address in self.addresses) or "others"
        return f"type {self.type}, of {listed}"

    @property
    def addresses(self) -> list[Address]:
        """Host and port of each listed primary."""
        return [(host, port) for host, port, _ in self.listed]

    def has_mark(self, zone: ZoneAnnouncement) -> bool:
        """Return whether the file's name ends with the zone's id; OpenStack Designate's do too."""
        return self.file.endswith(zone.marks)


def _primaries_of(value: bind_config.Statement) -> tuple[Primary, ...]:
    """Return the addresses of `[port 53] { 192.0.2.1 [port 5354] [key "one"]; ... }`.

    Nothing is returned if one of them is the name of a list, since that does not show what it stands for.
    """
    *words, block = value or ("",)
    if not isinstance(block, bind_config.Block):
        return ()
    default = dict(pairwise(words)).get("port", "53")
    found = []
    for host, *rest in block.statements:
        given = dict(pairwise(rest))
        try:
            address = str(ipaddress.ip_address(str(host)))
        except ValueError:
            return ()
        key = str(given.get("key", "")).rstrip(".")
        found.append((address, int(str(given.get("port", default))), key))
    return tuple(found)


def _word(value: bind_config.Statement) -> str:
    return str(value[0]) if value else ""


def _without_own(
    statements: tuple[bind_config.Statement, ...],
) -> tuple[bind_config.Statement, ...]:
    further = [statement for statement in statements if statement[0] not in _OWN_STATEMENTS]
    return tuple(sorted(further, key=repr))


def further_statements(option: str) -> tuple[bind_config.Statement, ...]:
    """Return the statements of the option zone_statements. Raises ConfigurationError for a bad text."""
    try:
        if "\n" in option or "\r" in option:
            raise ValueError("line breaks are not possible")
        statements = bind_config.parse(option)
        own = sorted({str(one[0]) for one in statements if one[0] in _OWN_STATEMENTS})
        if own:
            raise ValueError(f"{', '.join(own)}: set by this service")
    except ValueError as error:
        raise errors.ConfigurationError(
            f"target type bind9: option zone_statements: {error}"
        ) from None
    return _without_own(statements)
