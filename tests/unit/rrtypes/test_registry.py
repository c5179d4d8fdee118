"""The registry: types, names, e-mail addresses, and the shape of refusals."""

import json

import pytest

from designate import errors, rrtypes
from designate.errors import Reason
from designate.rrtypes.base import RRType, register
from designate.rrtypes.grammar import is_number

LABEL = "a" * 63
LONGEST = f"{LABEL}." * 3 + "b" * 61 + "."
TOO_LONG = f"{LABEL}." * 3 + "b" * 62 + "."


def refusal(call, *arguments):
    with pytest.raises(errors.InvalidObject) as caught:
        call(*arguments)
    return caught.value


def test_the_registry_holds_the_supported_types():
    assert set(rrtypes.SUPPORTED) == set(rrtypes.REGISTRY)
    assert len(rrtypes.SUPPORTED) == len(set(rrtypes.SUPPORTED)) == 17


def test_types_have_their_numbers():
    numbers = {rtype: rrtypes.numeric_type(rtype) for rtype in rrtypes.SUPPORTED}

    assert numbers == {
        "A": 1, "AAAA": 28, "CNAME": 5, "MX": 15, "SRV": 33, "TXT": 16, "SPF": 99, "NS": 2, "PTR": 12,
        "SSHFP": 44, "SOA": 6, "NAPTR": 35, "CAA": 257, "CERT": 37, "HTTPS": 65, "SVCB": 64,
        "TLSA": 52,
    }  # fmt: skip


@pytest.mark.parametrize("rtype", rrtypes.SUPPORTED)
def test_types_say_where_they_are_defined(rtype):
    assert rrtypes.REGISTRY[rtype].type == rtype
    assert rrtypes.REGISTRY[rtype].rfc.startswith("RFC ")


def test_a_type_is_registered_once():
    class Another(RRType):
        type = "A"
        code = 1
        rfc = "RFC 1035"

    with pytest.raises(ValueError, match="A is registered"):
        register(Another)


# -- check_type -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", ["", "a", "ALIAS", "DS", "DNAME", "LOC", "TYPE1", "A ", None, 1, ["A"]]
)
def test_an_unknown_type_is_not_valid(given):
    error = refusal(rrtypes.check_type, given, rrtypes.SUPPORTED)

    advice = "; write types in upper case" if given == "a" else ""
    message = f"'{given}' is not a valid record type{advice}"
    assert error.errors == (Reason(("recordset", "type"), message, "value", [given]),)
    assert error.message is None


def test_a_disabled_type_is_not_supported():
    error = refusal(rrtypes.check_type, "CERT", ["A", "AAAA"])

    message = "'CERT' is not a supported record type"
    assert error.errors == (Reason(("recordset", "type"), message, "value", ["CERT"]),)


def test_enabling_an_unknown_type_does_not_make_it_valid():
    assert "not a valid" in refusal(rrtypes.check_type, "LOC", ["LOC"]).errors[0].message


def test_an_enabled_type_passes():
    rrtypes.check_type("A", ["A"])


def test_data_of_an_unknown_type_is_refused_like_the_type():
    assert refusal(rrtypes.rdata, "LOC", "a.", ["x"]).errors[0].path == ("recordset", "type")
    assert refusal(rrtypes.check_owner, "LOC", "a.").errors[0].path == ("recordset", "type")


# -- rdata ------------------------------------------------------------------------------------------


def test_data_stands_in_the_order_of_the_records():
    assert rrtypes.rdata("A", "a.", ["9.9.9.9", "1.1.1.1"]) == (b"\x09" * 4, b"\x01" * 4)
    assert rrtypes.rdata("A", "a.", []) == ()


def test_each_bad_record_has_a_reason():
    error = refusal(rrtypes.rdata, "A", "a.", ["x", "1.1.1.1", "y"])

    assert error.message is None
    assert error.errors == (
        Reason(
            ("records", 0),
            "'x' is not a 'A' Record; 'x' is not a valid IPv4 address",
            "format",
            ["A"],
        ),
        Reason(
            ("records", 2),
            "'y' is not a 'A' Record; 'y' is not a valid IPv4 address",
            "format",
            ["A"],
        ),
    )


@pytest.mark.parametrize(
    ("rtype", "record", "hint"),
    [
        ("A", "192.0.2", "'192.0.2' is not a valid IPv4 address"),
        ("AAAA", "192.0.2.1", "'192.0.2.1' is not a valid IPv6 address"),
        ("CNAME", "www.example.com", "end the target with a dot"),
        ("MX", "10 mail.example.com", "end the exchange with a dot"),
        ("MX", "mail.example.com.", "the form is: <preference> <exchange>"),
        ("SRV", "1 2 99999 a.", "'99999' is not a valid port"),
        ("TXT", "two words", "put text with spaces in quotes"),
        ("TXT", "c:\\", "write a backslash as two"),
        ("TXT", "x" * 256, 'put it in quotes, in strings of at most 255 characters: "..." "..."'),
    ],
)
def test_the_accepted_form_is_said(rtype, record, hint):
    (reason,) = refusal(rrtypes.rdata, rtype, "a.", [record]).errors

    assert reason.message == f"'{record}' is not a '{rtype}' Record; {hint}"


@pytest.mark.parametrize("record", [None, 1, {"a": 1}, ["1.1.1.1"], b"1.1.1.1"])
def test_what_is_no_string_is_a_bad_record(record):
    (reason,) = refusal(rrtypes.rdata, "A", "a.", [record]).errors

    assert reason.message == f"'{record}' is not a 'A' Record"


@pytest.mark.parametrize(
    ("rtype", "records"),
    [
        ("A", ["1.1.1.1", "1.1.1.1"]),
        ("AAAA", ["::1", "0:0::1"]),
        ("NS", ["Ns.a.", "nS.A."]),
        ("MX", ["1 A.", "1 a."]),
        ("SRV", ["1 1 1 A.", "01 1 1 a."]),
        ("NAPTR", ['1 1 S "" "" A.', '1 1 "S" "" "" a.']),
        ("TXT", ["a", '"a"']),
        ("CERT", ["PKIX 1 1 AAAA", "1 1 RSAMD5 AA AA"]),
        ("TLSA", ["3 1 0 AB", "(3 1 0 ab)"]),
        ("SVCB", ["1 a. port=1", "1 a. port=2 port=01"]),
    ],
)
def test_rfc2181_s5_a_recordset_holds_no_record_twice(rtype, records):
    (reason,) = refusal(rrtypes.rdata, rtype, "a.", records).errors

    assert reason == Reason(
        ("records", 1),
        f"'{records[1]}' is not a '{rtype}' Record: it is the same data as record 0",
        "format",
        [rtype],
    )


@pytest.mark.parametrize(
    ("rtype", "records"),
    [
        ("TXT", ["a", "A"]),
        ("MX", ["65 a.", "97 a."]),  # letters by number, not by spelling
        ("SRV", ["65 65 65 a.", "97 97 97 a."]),
        ("NAPTR", ['1 1 S "" "" a.', '1 1 s "" "" a.']),
    ],
)
def test_rfc4034_s6_2_only_names_are_the_same_in_another_case(rtype, records):
    assert len(set(rrtypes.rdata(rtype, "a.", records))) == 2


def test_rfc2181_s9_a_recordset_fits_into_one_message():
    # Header, question and signature take 783 bytes of 65,535; each record 12 and its data.
    records = [f"10.0.{n // 250}.{n % 250}" for n in range(4048)]

    assert len(rrtypes.rdata("A", "a.", records[:4047])) == 4047
    assert refusal(rrtypes.rdata, "A", "a.", records).errors == (
        Reason(
            ("records",),
            "the records are 64768 bytes together; 64752 fit into a DNS message",
            "maxLength",
            64752,
        ),
    )


def test_messages_can_be_sent_whatever_the_record_was():
    error = refusal(rrtypes.rdata, "A", "a.", ["\ud800"])

    assert error.errors[0].message.startswith("'\\ud800' is not a 'A' Record; ")
    assert json.dumps(errors.to_plain(error), ensure_ascii=False).encode()


# -- names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.", "A-b_C.0.", "_a._b.", f"{LABEL}.", LONGEST, "xn--4ca."])
def test_domains(name):
    assert rrtypes.is_domain(name)
    assert rrtypes.is_host(name)
    rrtypes.check_domain(name)


@pytest.mark.parametrize(
    ("name", "gist"),
    [
        ("", "end with a dot"),
        ("a.b", "end with a dot"),
        ("a.\n", "end with a dot"),
        (".", "not a valid name"),
        ("a..", "not a valid name"),
        (".a.", "not a valid name"),
        ("-a.", "not a valid name"),
        ("a-.", "not a valid name"),
        ("a b.", "not a valid name"),
        ("/a.", "not a valid name"),
        ("a/.", "not a valid name"),
        ("a+b.", "'+' must be written \\043"),
        ("a@b.", "'@' must be written \\064"),
        ("a\\042b.", "not a valid name"),
        ("\\045a.", "not a valid name"),
        ("a\\256b.", "three digits up to 255"),
        ("a\\5b.", "three digits up to 255"),
        ("b.a_\u00e9.c.", "the label 'a_\u00e9' is not a valid internationalized label"),
        ("\ud800.", "is not a valid internationalized label"),
        (("\\." * 63 + ".") * 2, "too long: 506 characters with its escapes"),
        ("\\001" * 20 + "a" * 50 + ".", "not a valid name"),
        (f"a{LABEL}.", "not a valid name"),
        (TOO_LONG, "too long: 255 characters, at most 254"),
    ],
)
def test_what_is_no_domain_is_refused_with_a_message(name, gist):
    error = refusal(rrtypes.check_domain, name)

    assert gist in error.message
    assert error.message.encode()
    assert error.errors == ()
    assert not rrtypes.is_domain(name)
    assert not rrtypes.is_host(name)
    assert gist in refusal(rrtypes.check_owner, "A", name).message


@pytest.mark.parametrize("name", ["*.a.", "*.*.a.", "a.*.", "*a.", "a*.", "**.a.", "*"])
def test_a_wildcard_is_a_host_when_it_is_the_first_label(name):
    assert rrtypes.is_host(name) == (name == "*.a.")
    assert not rrtypes.is_domain(name)


@pytest.mark.parametrize(
    "text",
    ["a@b", "root@localhost", "first.last@a.b", "a_b-c@a.b", f"a@{LABEL}.{LABEL}.{LABEL}.bb"],
)
def test_emails(text):
    assert rrtypes.is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "@", "a@", "@b", "a@b.", "a@b@c", "a+b@c", '"a"@b', "a b@c", "a@b c", ".a@b", "a.@b",
        "a..b@c", "-a@b", "*@b", "a@*", "\u00e9@b", "a@b\n", f"a@{LONGEST[:-1]}",
    ],
)  # fmt: skip
def test_what_is_no_email(text):
    assert not rrtypes.is_email(text)


@pytest.mark.parametrize(
    ("text", "highest", "canonical", "expected"),
    [
        ("0", 9, True, True), ("9", 9, True, True), ("10", 9, True, False), ("00", 9, True, False),
        ("00", 9, False, True), ("0" * 5000 + "9", 9, False, True), ("9" * 5000, 9, False, False),
        ("", 9, False, False), ("-1", 9, False, False), ("\u0661", 9, False, False),
        ("\u00b2", 9, False, False), ("1_0", 99, False, False), ("1\n", 9, False, False),
    ],
)  # fmt: skip
def test_number(text, highest, canonical, expected):
    assert is_number(text, highest, canonical=canonical) is expected
