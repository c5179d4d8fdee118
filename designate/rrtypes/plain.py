"""All other record types: dnspython's forms and checks are the rules."""

from __future__ import annotations

from typing import Any

from designate.rrtypes.base import REGISTRY, RRType, register
from designate.wire import types

MIN_X25_DIGITS = 4


@register
class X25(RRType):
    """An address in an X.25 network."""

    type = "X25"

    def check_rdata(self, rdata: Any) -> None:
        if len(rdata.address) < MIN_X25_DIGITS or not rdata.address.isdigit():
            raise ValueError("the address has 4 or more digits")


class Plain(RRType):
    """A type without rules of its own."""

    def __init__(self, info: types.TypeInfo) -> None:
        self._info = info

    @property
    def info(self) -> types.TypeInfo:
        """The type in the list of all types."""
        return self._info


def register_all() -> None:
    """Add every type that zones may have and that has no class."""
    for info in types.TYPES:
        if info.kind is not types.Kind.META and info.name not in REGISTRY:
            REGISTRY[info.name] = Plain(info)
