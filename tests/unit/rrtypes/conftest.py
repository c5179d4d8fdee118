"""Fixtures for the tests of record types; each module names its type in RTYPE."""

import pytest

from designate import errors, rrtypes

OWNER = "www.example.com."


@pytest.fixture
def wire(request):
    """Return the wire form of one accepted text."""
    rtype = request.module.RTYPE
    return lambda text, owner=OWNER: rrtypes.rdata(rtype, owner, [text])[0]


@pytest.fixture
def refusal(request):
    """Return the reason for which a text is refused, which every refusal has."""
    rtype = request.module.RTYPE

    def ask(text, owner=OWNER):
        with pytest.raises(errors.InvalidObject) as caught:
            rrtypes.rdata(rtype, owner, [text])
        (reason,) = caught.value.errors
        assert reason.path == ("records", 0)
        assert (reason.validator, reason.validator_value) == ("format", [rtype])
        usual = f"'{text}' is not a '{rtype}' Record"
        assert reason.message.startswith(usual)
        rest = reason.message.removeprefix(usual)
        assert rest[:2] in ("; ", ": ")
        return rest

    return ask


@pytest.fixture
def owner_refusal(request):
    """Return the error for an owner name that the type does not permit."""

    def ask(name):
        with pytest.raises(errors.BadRequest) as caught:
            rrtypes.check_owner(request.module.RTYPE, name)
        return caught.value

    return ask
