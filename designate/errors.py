"""The errors that this service raises, as one tree.

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
    +-- LeaseLost             409  lease_lost; the shards were reassigned (never reaches a client)
    +-- ConfigurationError    500  configuration_error, or the type given
    +-- RetryLater            500  base of those with `retry_after_s`, after which the client may retry
    |   +-- Unavailable           503  service_unavailable
    |   +-- TooManyRequests       429  too_many_requests
    +-- DeadlineExceeded      504  timeout
    +-- BackendError          500  backend; a nameserver's control channel failed (never reaches a client)
        +-- BackendUnavailable       500  backend_unavailable; ... because it did not reply
        +-- ForeignZone              500  foreign_zone; the nameserver has a zone of others under this name

`code` is the HTTP status, `type` the string that clients compare and `message` the text for people.
They cross process boundaries as plain data (`to_plain`, `from_plain`), so no class path is part of
a contract. Errors of libraries are translated where they occur: storage, wire and backend.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Reason:
    """One fault of a request body.

    Attributes:
        path: member names and list indexes from the outside in, such as ("records", 0).
        message: the text for people.
        validator: the name of the rule that failed, as clients know it.
        validator_value: the rule's argument.
    """

    path: tuple[str | int, ...]
    message: str
    validator: str
    validator_value: Any = None

    def to_plain(self) -> dict[str, Any]:
        """Return the reason as plain data."""
        return {
            "path": list(self.path),
            "message": self.message,
            "validator": self.validator,
            "validator_value": self.validator_value,
        }


class DesignateError(Exception):
    """Base of the tree; without a message, the response body has no message member."""

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
    """The request breaks a rule."""

    code = 400
    default_type = "bad_request"


class InvalidObject(BadRequest):
    """The request body breaks rules: one `message`, or `reasons` with path and rule."""

    default_type = "invalid_object"

    def __init__(self, message: str | None = None, *, reasons: tuple[Reason, ...] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(reasons)

    def __str__(self) -> str:
        return f"{self.type}: {self.message or '; '.join(r.message for r in self.errors)}"


class Unauthorized(DesignateError):
    """The request has no project."""

    code = 401
    default_type = "missing_project_id"


class Forbidden(DesignateError):
    """Refused by a policy, or, with a message, by a rule of the service."""

    code = 403
    default_type = "forbidden"


# The kinds of objects in error types, and their names in messages.
KINDS = {
    "zone": "Zone",
    "zone_attribute": "ZoneAttribute",
    "recordset": "RecordSet",
    "record": "Record",
    "pool": "Pool",
    "pool_ns_record": "PoolNsRecord",
    "tld": "Tld",
    "tsigkey": "TsigKey",
    "blacklist": "Blacklist",
    "zone_import": "ZoneImport",
    "zone_export": "ZoneExport",
    "zone_transfer_request": "ZoneTransferRequest",
    "zone_transfer_accept": "ZoneTransferAccept",
    "shared_zone": "SharedZone",
    "service_status": "ServiceStatus",
}


class _ObjectError(DesignateError):
    """Base of the errors about an object of a kind."""

    type_of_kind: ClassVar[str]
    message_of_kind: ClassVar[str]

    def __init__(
        self, kind: str | None = None, message: str | None = None, *, type: str | None = None
    ) -> None:
        if kind is not None:
            type = type or self.type_of_kind.format(kind)
            message = message or self.message_of_kind.format(KINDS[kind])
        super().__init__(message, type=type)


class NotFound(_ObjectError):
    """An object or, as `NotFound()`, a route does not exist; of kind "zone": zone_not_found."""

    code = 404
    default_type = "not_found"
    type_of_kind = "{}_not_found"
    message_of_kind = "Could not find {}"


class MethodNotAllowed(DesignateError):
    """The route exists and does not support the method."""

    code = 405
    default_type = "method_not_allowed"


class Duplicate(_ObjectError):
    """An equal object exists already; of kind "zone": duplicate_zone."""

    code = 409
    default_type = "duplicate"
    type_of_kind = "duplicate_{}"
    message_of_kind = "Duplicate {}"


class LeaseLost(DesignateError):
    """The shards were reassigned to another producer."""

    code = 409
    default_type = "lease_lost"


class OverQuota(DesignateError):
    """The request would exceed a quota of the project."""

    code = 413
    default_type = "over_quota"


class UnsupportedMedia(DesignateError):
    """The request body has an unsupported content type."""

    code = 415
    default_type = "unsupported_content_type"


class ConfigurationError(DesignateError):
    """A configured value cannot be used."""

    default_type = "configuration_error"


class BackendError(DesignateError):
    """The control channel of a nameserver failed or refused a request."""

    default_type = "backend"


class BackendUnavailable(BackendError):
    """The nameserver's control channel gave no reply, or replied that it is unavailable for now."""

    default_type = "backend_unavailable"


class ForeignZone(BackendError):
    """The nameserver has a zone of this name that is not this service's; it was left as it is.

    For a deletion this means that nothing of this service is there.
    """

    default_type = "foreign_zone"


class RetryLater(DesignateError):
    """The same request may succeed after `retry_after_s`; nothing was stored unless the message says so."""

    def __init__(
        self, message: str | None = None, *, type: str | None = None, retry_after_s: int = 1
    ) -> None:
        super().__init__(message, type=type)
        self.retry_after_s = retry_after_s


class Unavailable(RetryLater):
    """A required part is unavailable for now."""

    code = 503
    default_type = "service_unavailable"


class TooManyRequests(RetryLater):
    """The project has sent more requests than its rate allows."""

    code = 429
    default_type = "too_many_requests"


class DeadlineExceeded(DesignateError):
    """The request was not completed in time; it may have been executed."""

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
    """Return the plain data as which an error crosses the bus."""
    plain: dict[str, Any] = {
        "class": type(error).__name__,
        "type": error.type,
        "message": error.message,
    }
    if error.errors:
        plain["errors"] = [reason.to_plain() for reason in error.errors]
    if isinstance(error, RetryLater):
        plain["retry_after_s"] = error.retry_after_s
    return plain


def from_plain(plain: dict[str, Any]) -> DesignateError:
    """Return the error of plain data; a class unknown to this release becomes DesignateError."""
    cls = _classes().get(plain.get("class", ""), DesignateError)
    error = cls.__new__(cls)
    DesignateError.__init__(error, plain.get("message"), type=plain.get("type"))
    error.errors = tuple(
        Reason(tuple(r["path"]), r["message"], r["validator"], r.get("validator_value"))
        for r in plain.get("errors", ())
    )
    if isinstance(error, RetryLater):
        error.retry_after_s = int(plain.get("retry_after_s", 1))
    return error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text; libraries add statements, hints and links to it."""
    return str(error).partition("\n")[0]


def os_error_text(error: OSError) -> str:
    """Return the system's text for an error, or the name of its class where there is none."""
    if error.errno and error.strerror == errno.errorcode.get(error.errno):
        return os.strerror(error.errno)  # green sockets put the name of the number there
    return error.strerror or type(error).__name__
