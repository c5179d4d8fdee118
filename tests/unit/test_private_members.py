"""Private members of libraries that the project uses, and the ceilings that go with them.

Where a library moves on, a test here fails and not a service: look at the new release, then raise the
ceiling in pyproject.toml.
"""

import tomllib
from importlib import import_module
from pathlib import Path

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TLSA
import dns.tokenizer
import dns.transaction
import dns.zone
import dns.zonefile
import prometheus_client
import pymysql.connections
import pytest
from packaging.requirements import Requirement

from designate.wire import tolerant_classes

PROJECT = tomllib.loads(Path(__file__).parents[2].joinpath("pyproject.toml").read_text("utf-8"))[
    "project"
]


@pytest.mark.parametrize(
    "name", ["dnspython", "keystonemiddleware", "oslo.messaging", "prometheus-client", "PyMySQL"]
)
def test_a_library_whose_private_members_are_used_has_a_ceiling(name: str) -> None:
    declared = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["mysql"]]
    (found,) = [
        requirement for requirement in map(Requirement, declared) if requirement.name == name
    ]

    assert any(specifier.operator == "<" for specifier in found.specifier)


def test_the_reader_of_master_files_finds_a_newline_that_was_put_back() -> None:
    tokenizer = dns.tokenizer.Tokenizer("a\n")
    tokenizer.get()

    assert (tokenizer.ungotten_char, tokenizer.where()[1]) == ("\n", 2)


@pytest.mark.parametrize(
    "name",
    [
        "current_origin",
        "default_ttl",
        "default_ttl_known",
        "last_name",
        "last_ttl",
        "last_ttl_known",
        "tok",
    ],
)
def test_the_fast_path_of_master_files_finds_the_readers_state(name: str) -> None:
    with dns.zone.Zone("example.").writer() as transaction:
        reader = dns.zonefile.Reader(dns.tokenizer.Tokenizer("a"), dns.rdataclass.IN, transaction)

    assert hasattr(reader, name)


@pytest.mark.parametrize("name", ["_set_origin", "add", "check_put_rdataset"])
def test_the_reader_of_master_files_has_a_transaction_like_ours(name: str) -> None:
    assert hasattr(dns.transaction.Transaction, name)


def test_a_class_of_rdata_can_be_replaced() -> None:
    tlsa = dns.rdata.get_rdata_class(dns.rdataclass.IN, dns.rdatatype.TLSA)

    assert tlsa is tolerant_classes.TLSA
    assert issubclass(tlsa, dns.rdtypes.ANY.TLSA.TLSA)


def test_a_server_of_the_bus_lets_its_threads_be_chosen() -> None:
    server = import_module("oslo_messaging.server").MessageHandlingServer

    assert "_executor_cls" in server.__init__.__code__.co_names


def test_a_mysql_connection_has_its_socket() -> None:
    """The pool looks whether the server has closed it."""
    assert pymysql.connections.Connection._sock is None


def test_the_middleware_of_tokens_has_its_session_made_by_a_method() -> None:
    protocol = import_module("keystonemiddleware.auth_token").AuthProtocol

    assert "_create_session" in protocol.__init__.__code__.co_names


def test_a_metric_can_get_another_kind_of_value_after_its_import() -> None:
    metric = prometheus_client.Counter("test", "For a test.", registry=None)
    metric.inc()
    metric._metric_init()

    assert next(sample.value for sample in metric.collect()[0].samples) == 0
    assert hasattr(prometheus_client.values, "MultiProcessValue")
