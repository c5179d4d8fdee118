"""backend.bind9: the options of a target, without a server."""

import pytest

from designate import errors
from designate.backend import base
from designate.backend.bind9 import Bind9Backend
from designate.backend.builtin import BuiltinBackend
from designate.backend.fake import FakeBackend
from designate.model.pools import Target


def bind9(**options):
    return Bind9Backend(Target(type="bind9", options=options))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"rndc_port": "0"}, "rndc_port: '0' is not a port"),
        ({"rndc_port": "65536"}, "is not a port"),
        ({"rndc_port": "domain"}, "is not a port"),
        ({"rndc_timeout": "soon"}, "is not a number of seconds"),
        ({"rndc_timeout": "-1"}, "is not a number of seconds"),
        ({"rndc_timeout": "nan"}, "is not a number of seconds"),
        ({"view": 'a"; }; evil'}, "is not a name"),
    ],
)
def test_options_that_cannot_be_used_are_refused_by_name(options, problem):
    with pytest.raises(errors.ConfigurationError) as caught:
        bind9(**options)

    assert problem in str(caught.value)


def test_no_command_waits_for_ever():
    assert bind9(rndc_timeout="0")._timeout_s == 60
    assert bind9(rndc_timeout="3600")._timeout_s == 60
    assert bind9()._timeout_s == 5


def test_notify_goes_to_host_and_port():
    assert bind9().notify_address == ("127.0.0.1", 53)
    assert bind9(host="192.0.2.1", port="5300").notify_address == ("192.0.2.1", 5300)


@pytest.mark.parametrize(
    ("name", "cls", "notify"),
    [
        ("bind9", Bind9Backend, True),
        ("builtin", BuiltinBackend, False),
        ("fake", FakeBackend, True),
    ],
)
def test_installed_backends_are_found_by_name(name, cls, notify):
    backend = base.load(Target(type=name))

    assert type(backend) is cls
    assert backend.NOTIFY is notify
    assert name in base.drivers()


def test_an_unknown_type_is_named():
    with pytest.raises(errors.ConfigurationError, match="driver type: agent"):
        base.load(Target(type="agent"))


@pytest.mark.parametrize("name", ['a"b.', "a b.", "a;b.", "a\\034b."])
def test_a_key_name_that_would_break_the_command_is_refused(name):
    with pytest.raises(errors.ConfigurationError):
        bind9().transfer_with(name)
