"""errors: the tree and its plain data."""

import errno
import socket

import pytest

from designate import errors
from designate.errors import Reason


@pytest.mark.parametrize(
    ("error", "code", "kind", "message"),
    [
        (errors.NotFound("zone"), 404, "zone_not_found", "Could not find Zone"),
        (errors.NotFound("recordset"), 404, "recordset_not_found", "Could not find RecordSet"),
        (errors.NotFound(), 404, "not_found", None),
        (errors.Duplicate("zone"), 409, "duplicate_zone", "Duplicate Zone"),
        (errors.BadRequest("x", type="invalid_ttl"), 400, "invalid_ttl", "x"),
        (errors.InvalidObject("x"), 400, "invalid_object", "x"),
        (errors.Forbidden(), 403, "forbidden", None),
        (errors.Unauthorized(), 401, "missing_project_id", None),
        (errors.OverQuota("x"), 413, "over_quota", "x"),
        (errors.DeadlineExceeded(), 504, "timeout", None),
    ],
)
def test_an_error_crosses_the_bus_unchanged(error, code, kind, message):
    back = errors.from_plain(errors.to_plain(error))

    assert type(back) is type(error)
    assert (back.code, back.type, back.message) == (code, kind, message)


def test_reasons_cross_the_bus():
    reason = Reason(("records", 0), "no", "format", ["A"])

    back = errors.from_plain(errors.to_plain(errors.InvalidObject(reasons=(reason,))))

    assert back.errors == (reason,)


def test_the_wait_of_unavailable_crosses_the_bus():
    back = errors.from_plain(errors.to_plain(errors.Unavailable("later", retry_after_s=7)))

    assert isinstance(back, errors.Unavailable)
    assert back.retry_after_s == 7


def test_an_error_of_a_newer_release_becomes_the_base():
    back = errors.from_plain({"class": "Teapot", "type": "teapot", "message": "short"})

    assert type(back) is errors.DesignateError
    assert (back.code, back.type) == (500, "teapot")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "ECONNREFUSED"), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (ConnectionResetError(), "ConnectionResetError"),
    ],
)
def test_what_the_system_said_is_in_its_words(error, said):
    assert errors.os_error_text(error) == said
