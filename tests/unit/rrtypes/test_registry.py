"""The registry: types, names, e-mail addresses, and the shape of refusals."""

import json

import pytest

from designate import errors, rrtypes
from designate.errors import Reason
from designate.rrtypes.base import RRType, register
from designate.rrtypes.grammar import is_number
from designate.wire import types

LABEL = "a" * 63
LONGEST = f"{LABEL}." * 3 + "b" * 61 + "."
TOO_LONG = f"{LABEL}." * 3 + "b" * 62 + "."


def refusal(call, *arguments):
    with pytest.raises(errors.InvalidObject) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("rtype", rrtypes.REGISTRY)
def test_types_have_the_rules_of_their_name(rtype):
    assert rrtypes.REGISTRY[rtype].name == rtype
    assert (
        rrtypes.numeric_type(rtype) == rrtypes.REGISTRY[rtype].code == types.BY_NAME[rtype].number
    )


def test_a_type_is_registered_once():
    class Another(RRType):
        type = "A"

    with pytest.raises(ValueError, match="A is registered"):
        register(Another)


# -- check_type -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    ["", "a", "ALIAS", "A ", "TYPE", "TYPE-1", "TYPE65536", "TYPEn", "TYPE\u0661", None, 1, ["A"]],
)
def test_an_unknown_type_is_not_valid(given):
    error = refusal(rrtypes.check_type, given, rrtypes.SUPPORTED)

    advice = "; write types in upper case" if given == "a" else ""
    message = f"'{given}' is not a valid record type{advice}"
    assert error.errors == (Reason(("recordset", "type"), message, "value", [given]),)
    assert error.message is None


@pytest.mark.parametrize(
    "given",
    [
        "OPT", "TKEY", "TSIG", "SIG", "IXFR", "AXFR", "MAILA", "MAILB", "ANY", "TYPE0", "TYPE24", "TYPE41",
        "TYPE128", "TYPE200", "TYPE255", "TYPE65535",
    ],
)  # fmt: skip
def test_types_of_messages_are_not_valid_however_they_are_written(given):
    (reason,) = refusal(rrtypes.check_type, given, [*rrtypes.SUPPORTED, given]).errors

    assert reason.message.startswith(f"'{given}' is not a valid record type: it is for queries")


@pytest.mark.parametrize("given", ["RRSIG", "NSEC", "NSEC3", "NSEC3PARAM", "TYPE46"])
def test_types_that_signing_makes_can_only_be_read(given):
    (reason,) = refusal(rrtypes.check_type, given, [*rrtypes.SUPPORTED, given]).errors

    assert "signing makes such records" in reason.message
    assert rrtypes.check_type(given, [], imported=True) == types.canonical_name(given)


@pytest.mark.parametrize(
    ("given", "enabled", "missing"),
    [
        ("CERT", ["A", "AAAA"], "CERT"),
        ("TYPE37", ["A", "AAAA"], "CERT"),
        ("TYPE65400", ["A", "TYPE65401"], "TYPEn"),
        ("LOC", ["A", "TYPEn"], "LOC"),
    ],
)
def test_the_refusal_of_a_disabled_type_names_the_option(given, enabled, missing):
    error = refusal(rrtypes.check_type, given, enabled)

    message = (
        f"'{given}' is not a supported record type; {missing} is not in the option "
        "supported_record_type of this service"
    )
    assert error.errors == (Reason(("recordset", "type"), message, "value", [given]),)


@pytest.mark.parametrize(
    ("given", "enabled", "name"),
    [
        ("A", ["A"], "A"),
        ("TYPE1", ["A"], "A"),
        ("TYPE001", ["A"], "A"),
        ("A", ["TYPE1"], "A"),
        ("CAA", ["type257"], "CAA"),
        ("CAA", [" caa"], "CAA"),
        ("TYPE261", ["TYPEn"], "TYPE261"),
        ("TYPE65400", ["TYPE65400"], "TYPE65400"),
        ("TYPE65534", rrtypes.SUPPORTED, "TYPE65534"),
        ("DNSKEY", rrtypes.SUPPORTED, "DNSKEY"),
        ("NSAP-PTR", rrtypes.SUPPORTED, "NSAP-PTR"),
    ],
)
def test_an_enabled_type_has_its_canonical_name(given, enabled, name):
    assert rrtypes.check_type(given, enabled) == name


def test_every_type_of_data_is_enabled_by_default_and_the_types_of_designate_are_first():
    names = [info.name for info in types.TYPES if info.kind is types.Kind.DATA]

    assert sorted(rrtypes.SUPPORTED) == sorted([*names, "TYPEn"])
    assert rrtypes.SUPPORTED[:3] == ("A", "AAAA", "CNAME")


@pytest.mark.parametrize("rtype", ["ALIAS", "OPT", "TYPE41", "TYPE300000", "TYPE129"])
def test_data_of_an_unknown_type_is_refused_like_the_type(rtype):
    assert refusal(rrtypes.rdata, rtype, "a.", ["x"]).errors[0].path == ("recordset", "type")
    assert refusal(rrtypes.check_owner, rtype, "a.").errors[0].path == ("recordset", "type")


# -- rdata ------------------------------------------------------------------------------------------


def test_rfc3597_s5_a_known_type_may_be_written_by_number_and_as_bytes():
    assert rrtypes.rdata("TYPE1", "a.", ["192.0.2.1"]) == (bytes([192, 0, 2, 1]),)
    assert rrtypes.rdata("A", "a.", ["\\# 4 c0000201"]) == (bytes([192, 0, 2, 1]),)
    assert rrtypes.rdata("MX", "a.", ["\\# 5 (\n 000a\n 016100 )"]) == (b"\x00\x0a\x01a\x00",)
    assert rrtypes.rdata("TXT", "a.", ["\\# 2 0141"]) == (b"\x01A",)
    assert "same data" in str(
        refusal(rrtypes.rdata, "A", "a.", ["1.2.3.4", "\\# 4 01020304"]).errors
    )


@pytest.mark.parametrize(
    ("rtype", "record"),
    [
        ("A", "\\# 3 010203"),
        ("MX", "\\# 4 000ac000"),
        ("HTTPS", "\\# 10 0001 00 0001 0003 02 7878"),
        ("HTTPS", "\\# 10 0001 00 0001 0003 027878 "),
        ("TLSA", "\\# 4 030101ab"),
        ("TYPE65400", "\\# 3 0102"),
    ],
)
def test_bytes_of_a_known_type_pass_the_rules_of_its_text(rtype, record):
    assert refusal(rrtypes.rdata, rtype, "a.", [record]).errors[0].path == ("records", 0)


def test_records_that_a_recordset_has_may_stay_though_clients_may_not_send_them():
    texts = ['0 issue "*.a"', '0 issue "ca.a"']

    refused = refusal(rrtypes.rdata, "CAA", "a.", texts)

    assert [reason.path for reason in refused.errors] == [("records", 0)]
    wires = rrtypes.rdata("CAA", "a.", texts, known=texts[:1])
    assert wires == (b"\x00\x05issue*.a", b"\x00\x05issueca.a")


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
        ("A", "192.0.2", "; '192.0.2' is not a valid IPv4 address"),
        ("AAAA", "192.0.2.1", "; '192.0.2.1' is not a valid IPv6 address"),
        ("CNAME", "www.example.com", ": end the name with a dot"),
        ("MX", "10 mail.example.com", ": end the name with a dot"),
        ("MX", "mail.example.com.", "; the form is: <preference> <exchange>"),
        ("MX", "10 mail.example.com. ; x", "write ; as \\; or within quotes"),
        ("SRV", "1 2 99999 a.", "; the form is: <priority> <weight> <port> <target>"),
        ("CNAME", "b_\u00fccher.de.", "not a valid internationalized label"),
        ("LOC", "\u00b2 0 0 N 0 0 0 E 0m", "beyond ASCII outside of names and quotes"),
        ("TXT", " two words", "; put text with spaces in quotes"),
        ("TXT", 'two "words"', "; its quotes do not pair off; write each string in quotes"),
        ("TXT", "c:\\", '; write a backslash at the end in quotes, as two: "...\\\\"'),
        (
            "CAA",
            "0 issue *.a",
            '; the value is "<domain without trailing dot>; <key>=<value>; ..."',
        ),
        ("HTTPS", "1 . alpn=foo", "; 'foo' is not in IANA's list of ALPN protocol IDs"),
        ("TLSA", "3 1 0", "; the form is: <usage> <selector> <matching type> <hex>"),
        ("DS", "1 8 2", "; the form is: <key tag> <algorithm> <digest type> <hex>"),
        ("TYPE65400", "x", "; the form is: \\# <length> <hex>"),
        ("TYPE65400", "\\# 2 00", "; the form is: \\# <length> <hex>"),
    ],
)
def test_the_accepted_form_is_said(rtype, record, hint):
    (reason,) = refusal(rrtypes.rdata, rtype, "a.", [record]).errors

    assert reason.message.startswith(f"'{record}' is not a '{rtype}' Record")
    assert hint in reason.message


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
        ("SVCB", ["1 A.", "1 a."]),
        ("DNAME", ["A\\.b.", "a\\.B."]),
        ("LP", ["1 A.", "1 a."]),
        ("IPSECKEY", ["10 3 2 A. AQID", "10 3 2 a. AQID"]),
        ("AMTRELAY", ["10 0 3 A.", "10 0 3 a."]),
        ("HIP", ["2 AB AQID A. B.", "2 AB AQID a. b."]),
        ("NSAP-PTR", ["A.", "a."]),
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
