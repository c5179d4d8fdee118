"""Every error this service raises on purpose, as one tree.

    DesignateError            500  unknown
    +-- BadRequest            400  bad_request, or the type given
    |   +-- InvalidObject     400  invalid_object, with a message or a list of Reason
    +-- Unauthorized          401  missing_project_id
    +-- Forbidden             403  forbidden, or the type given
    +-- NotFound              404  <kind>_not_found
    +-- MethodNotAllowed      405  method_not_allowed
    +-- OverQuota             413  over_quota
    +-- UnsupportedMedia      415  unsupported_content_type
    +-- Duplicate             409  duplicate_<kind>
    +-- LeaseLost             409  lease_lost; the share of work is another process' by now (never reaches
    |                              a client)
    +-- ConfigurationError    500  configuration_error, or the type given
    +-- Unavailable           503  service_unavailable; the caller may try again after `retry_after_s`
    +-- DeadlineExceeded      504  timeout
    +-- BackendError          500  backend; a nameserver's control channel failed (never reaches a client)
        +-- BackendUnavailable       500  backend_unavailable; ... because nobody answered there

`code` is the HTTP status and `type` the string that clients compare; `message` is for people. The
three cross process boundaries as plain data (`to_plain`, `from_plain`), so no class path is part of
any contract. Foreign errors are translated where they occur: storage.engine, wire.client, backend.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Reason:
    """One fault of a request body.

    path: member names and list indexes from the outside in, e.g. ("records", 0).
    validator, validator_value: the rule that failed and its argument, as clients know them.
    """

    path: tuple[str | int, ...]
    message: str
    validator: str
    validator_value: Any = None

    def to_plain(self) -> dict[str, Any]:
        return {
            "path": list(self.path),
            "message": self.message,
            "validator": self.validator,
            "validator_value": self.validator_value,
        }


class DesignateError(Exception):
    """Base of the tree. `message` None means that the body carries no message member."""

    code: ClassVar[int] = 500
    default_type: ClassVar[str] = "unknown"

    def __init__(self, message: str | None = None, *, type: str | None = None) -> None:
        super().__init__(message or "")
        self.message = message
        self.type = type or self.default_type
        self.errors: tuple[Reason, ...] = ()

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


class BadRequest(DesignateError):
    code = 400
    default_type = "bad_request"


class InvalidObject(BadRequest):
    """A body that breaks a rule: either one `message`, or `reasons` that name path and rule."""

    default_type = "invalid_object"

    def __init__(self, message: str | None = None, *, reasons: tuple[Reason, ...] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(reasons)

    def __str__(self) -> str:
        return f"{self.type}: {self.message or '; '.join(r.message for r in self.errors)}"


class Unauthorized(DesignateError):
    code = 401
    default_type = "missing_project_id"


class Forbidden(DesignateError):
    """Without a message: a policy refused. With one: a rule of the service did."""

    code = 403
    default_type = "forbidden"


KINDS: dict[str, tuple[str, str, str]] = {
    # kind: (stem of the not-found type, stem of the duplicate type, name in messages)
    "zone": ("zone", "zone", "Zone"),
    "zone_attribute": ("zone_attribute", "zone_attribute", "ZoneAttribute"),
    "recordset": ("recordset", "recordset", "RecordSet"),
    "record": ("record", "record", "Record"),
    "pool": ("pool", "pool", "Pool"),
    "pool_ns_record": ("pool_ns_record", "pool_ns_record", "PoolNsRecord"),
    "tld": ("tld", "tld", "Tld"),
    "tsigkey": ("tsigkey", "tsigkey", "TsigKey"),
    "blacklist": ("blacklist", "blacklist", "Blacklist"),
    "zone_import": ("zone_import", "zone_import", "ZoneImport"),
    "zone_export": ("zone_export", "zone_export", "ZoneExport"),
    "zone_transfer_request": (
        "zone_transfer_request",
        "zone_transfer_request",
        "ZoneTransferRequest",
    ),
    "zone_transfer_accept": ("zone_transfer_accept", "zone_transfer_accept", "ZoneTransferAccept"),
    "shared_zone": ("shared_zone", "shared_zone", "SharedZone"),
    "service_status": ("service_status", "service_status", "ServiceStatus"),
}


class NotFound(DesignateError):
    """`NotFound("zone")` gives type zone_not_found; `NotFound()` is an unknown route."""

    code = 404
    default_type = "not_found"

    def __init__(
        self, kind: str | None = None, message: str | None = None, *, type: str | None = None
    ) -> None:
        if kind is not None:
            stem, _, name = KINDS[kind]
            type = type or f"{stem}_not_found"
            message = message or f"Could not find {name}"
        super().__init__(message, type=type)


class MethodNotAllowed(DesignateError):
    code = 405
    default_type = "method_not_allowed"


class Duplicate(DesignateError):
    """`Duplicate("zone")` gives type duplicate_zone."""

    code = 409
    default_type = "duplicate"

    def __init__(
        self, kind: str | None = None, message: str | None = None, *, type: str | None = None
    ) -> None:
        if kind is not None:
            _, stem, name = KINDS[kind]
            type = type or f"duplicate_{stem}"
            message = message or f"Duplicate {name}"
        super().__init__(message, type=type)


class LeaseLost(DesignateError):
    code = 409
    default_type = "lease_lost"


class OverQuota(DesignateError):
    code = 413
    default_type = "over_quota"


class UnsupportedMedia(DesignateError):
    code = 415
    default_type = "unsupported_content_type"


class ConfigurationError(DesignateError):
    default_type = "configuration_error"


class BackendError(DesignateError):
    default_type = "backend"


class BackendUnavailable(BackendError):
    """The server neither did nor refused what it was asked: it gave no answer, or said that it cannot
    now."""

    default_type = "backend_unavailable"


class Unavailable(DesignateError):
    """A part that is needed is away for now. Nothing was stored, unless the message says so."""

    code = 503
    default_type = "service_unavailable"

    def __init__(
        self, message: str | None = None, *, type: str | None = None, retry_after_s: int = 1
    ) -> None:
        super().__init__(message, type=type)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(DesignateError):
    code = 504
    default_type = "timeout"


def _classes() -> dict[str, type[DesignateError]]:
    found: dict[str, type[DesignateError]] = {}
    todo: list[type[DesignateError]] = [DesignateError]
    while todo:
        cls = todo.pop()
        found[cls.__name__] = cls
        todo.extend(cls.__subclasses__())
    return found


def to_plain(error: DesignateError) -> dict[str, Any]:
    """The envelope in which an error crosses the bus."""
    plain: dict[str, Any] = {
        "class": type(error).__name__,
        "type": error.type,
        "message": error.message,
    }
    if error.errors:
        plain["errors"] = [reason.to_plain() for reason in error.errors]
    if isinstance(error, Unavailable):
        plain["retry_after_s"] = error.retry_after_s
    return plain


def from_plain(plain: dict[str, Any]) -> DesignateError:
    """The error of an envelope. A class that this release does not know becomes DesignateError."""
    cls = _classes().get(plain.get("class", ""), DesignateError)
    error = cls.__new__(cls)
    DesignateError.__init__(error, plain.get("message"), type=plain.get("type"))
    error.errors = tuple(
        Reason(tuple(r["path"]), r["message"], r["validator"], r.get("validator_value"))
        for r in plain.get("errors", ())
    )
    if isinstance(error, Unavailable):
        error.retry_after_s = int(plain.get("retry_after_s", 1))
    return error


def said(error: OSError) -> str:
    """What the system said, in its words; the class where it said nothing."""
    if error.errno and error.strerror == errno.errorcode.get(error.errno):
        return os.strerror(error.errno)  # green sockets put the name of the number there
    return error.strerror or type(error).__name__
