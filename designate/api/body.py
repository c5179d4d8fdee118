"""Request bodies: parsed once, and read member by member into drafts and patches."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

from webob import Request

from designate import errors
from designate.api.shape import Body, BodyField
from designate.errors import Reason

BodyReader = Callable[[Any, dict[str, Any]], Any]


def parse(request: Request, *, optional: bool = False) -> dict[str, Any]:
    """Return the JSON object in the body.

    Args:
        request: The request.
        optional: Whether an empty body, or null, stands for an empty object.

    Raises:
        UnsupportedMedia: The content type is not JSON.
        BadRequest: The body is empty or not JSON.
        InvalidObject: The JSON is not an object.
    """
    if request.content_type != "application/json":
        raise unsupported_media(request)
    raw = request.body
    if not raw.strip():
        return _empty(optional)
    try:
        body = loads(raw)
    except ValueError:
        raise errors.BadRequest("Request body is not valid JSON", type="invalid_json") from None
    if body is None:
        return _empty(optional)
    if not isinstance(body, dict):
        raise errors.InvalidObject("The request body must be an object")
    return body


def unsupported_media(
    request: Request, accepted: str = "application/json"
) -> errors.UnsupportedMedia:
    """Return the error for a content type that the resource does not accept."""
    given = request.content_type or "None"
    return errors.UnsupportedMedia(f"Unsupported Content-Type: {given[:100]}; send {accepted}")


def _empty(optional: bool) -> dict[str, Any]:
    if optional:
        return {}
    raise errors.BadRequest("Request body is empty", type="empty_request_body")


def loads(raw: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: The text is not JSON, is nested too deeply, or has a string that cannot be written
            as UTF-8 again (half of a surrogate pair).
    """
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_reject_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def create_and_update(
    name: str, members: Mapping[str, BodyField], *, required: tuple[str, ...]
) -> tuple[Body, Body]:
    """Return the bodies of creation and of an update that may have the same members."""
    return (
        Body(name=f"{name}New", members=members, required=required),
        Body(name=f"{name}Changes", members=members),
    )


def draft_maker(draft: type, body: Body) -> BodyReader:
    """Return a function that reads a request body into a draft.

    The function raises InvalidObject if a required member is missing.
    """

    def make_draft(_call: object, given: dict[str, Any]) -> Any:
        require_members(given, body.required)
        return draft(**read(given, body))

    return make_draft


def patch_maker(patch: type, body: Body) -> BodyReader:
    """Return a function that reads a request body into a patch."""

    def make_patch(_call: object, given: dict[str, Any]) -> Any:
        return patch(**read(given, body))

    return make_patch


def read(
    body: Mapping[str, Any],
    declared: Body | Mapping[str, BodyField],
    unchecked: Collection[str] = (),
) -> dict[str, Any]:
    """Return the members that are present, each as its field reads it.

    Args:
        body: The members that the client sent.
        declared: The members that it may send.
        unchecked: Members that the caller of this function validates itself; they are left out.

    Raises:
        InvalidObject: A value is not valid, or a member is unknown.
    """
    readers = declared.members if isinstance(declared, Body) else declared
    readers = {name: reader for name, reader in readers.items() if name not in unchecked}
    unknown = sorted(set(body) - set(readers) - set(unchecked))
    if unknown:
        shown = ", ".join(repr(name[:50]) for name in unknown[:10])
        raise errors.InvalidObject(f"Provided object is not valid. Unknown members: {shown}")
    return {name: reader(name, body[name]) for name, reader in readers.items() if name in body}


def require_members(body: Mapping[str, Any], names: Collection[str]) -> None:
    """Raise InvalidObject, with its reasons, for the first of these members that is missing."""
    for name in names:
        if name not in body:
            reason = Reason(
                ("records", 0, name), f"'{name}' is a required property", "required", [name]
            )
            raise errors.InvalidObject(reasons=(reason,))


def require_properties(members: Mapping[str, Any], names: Collection[str]) -> None:
    """Raise InvalidObject, as a message alone, for the first of these members that is missing."""
    for name in names:
        if name not in members:
            raise errors.InvalidObject(f"'{name}' is a required property")


def reject_read_only(body: Mapping[str, Any], names: Collection[str]) -> None:
    """Raise InvalidObject if one of these members is present and not null in a new object."""
    given = [name for name in names if body.get(name) is not None]
    if given:
        raise errors.InvalidObject(f"Provided object is not valid. Read-only members: {given}")


def reject_changed(
    body: Mapping[str, Any], names: Collection[str], current: Mapping[str, Any]
) -> None:
    """Raise InvalidObject if one of these members differs from its current value."""
    for name in names:
        if name in body and body[name] != current.get(name):
            raise errors.InvalidObject(f"Provided object is not valid. '{name}' cannot be changed")
