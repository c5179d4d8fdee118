"""The list of record types, compared with dnspython's."""

from pathlib import Path

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from designate import rrtypes
from designate.rrtypes.reference import reference
from designate.wire import presentation, types
from designate.wire.types import Kind

# Numbers that newer releases of dnspython have names for: here they are TYPEnnn with all of them.
NEWER = {66, 67, 68, 128, 261, 262}
OURS = {0, 65535}


def test_the_list_has_every_name_of_dnspythons_lowest_release() -> None:
    theirs = {int(each): each.name.replace("_", "-") for each in dns.rdatatype.RdataType}
    newer = theirs.keys() - types.BY_NUMBER.keys()

    assert newer <= NEWER
    assert {info.number: info.name for info in types.TYPES if info.number not in OURS} == {
        number: name for number, name in theirs.items() if number not in NEWER | OURS
    }


def test_meta_types_are_those_of_dnspython_and_sig() -> None:
    for number in range(1, 65535):
        meta = dns.rdatatype.is_metatype(dns.rdatatype.RdataType.make(number))
        expected = meta or 128 <= number <= 255 or number == types.number_of("SIG")
        assert (types.kind_of(number) is Kind.META) == expected, number


def test_the_page_of_the_documentation_is_current() -> None:
    page = Path(__file__).parents[3] / "doc" / "record-types.md"

    assert page.read_text("utf-8") == reference() + "\n"


def test_numbers_and_names_are_given_once() -> None:
    assert len(types.BY_NUMBER) == len(types.BY_NAME) == len(types.TYPES)
    assert [info.number for info in types.TYPES] == sorted(types.BY_NUMBER)


@pytest.mark.parametrize("info", types.TYPES, ids=lambda info: info.name)
def test_a_type_says_where_it_is_defined_and_its_form(info: types.TypeInfo) -> None:
    assert info.reference.startswith(("RFC ", "IANA"))
    assert bool(info.form) == (info.kind is Kind.DATA)
    assert types.canonical_name(f"TYPE{info.number}") == info.name == types.name_of(info.number)


@pytest.mark.parametrize(
    "info", [info for info in types.TYPES if info.kind is not Kind.META], ids=lambda info: info.name
)
def test_data_of_every_type_but_null_and_unspec_is_more_than_bytes(info: types.TypeInfo) -> None:
    number = dns.rdatatype.RdataType.make(info.number)
    known = dns.rdata.get_rdata_class(dns.rdataclass.IN, number)

    assert (known is dns.rdata.GenericRdata) == (info.name in ("NULL", "UNSPEC"))


@pytest.mark.parametrize("number", sorted(NEWER - {128}))
def test_types_of_newer_releases_are_bytes(number: int) -> None:
    data = bytes([3, 97, 61, 98])

    assert presentation.to_text(number, data) == "\\# 4 03613d62"
    assert rrtypes.rdata(f"TYPE{number}", "a.", ["\\# 4 03613d62"] if number != 66 else []) in (
        (data,),
        (),
    )
