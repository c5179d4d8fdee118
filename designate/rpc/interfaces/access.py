"""Permission checks without another operation."""

from __future__ import annotations

from typing import ClassVar, Protocol

from designate.context import Context
from designate.rpc.interfaces.base import Interface


class AccessApi(Interface, Protocol):
    """Permission checks of the API before it reads a request's body."""

    NAMESPACE: ClassVar[str] = "access"
    VERSION: ClassVar[str] = "1.0"

    def check(self, context: Context) -> None:
        """Raise Forbidden when the caller may not use its request flags.

        Central checks them with every call; this method exists for refusing a request before its
        body is read.
        """
        ...
