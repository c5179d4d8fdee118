"""The codec: values to plain data and back, also across releases."""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from designate.context import Context
from designate.model import codec
from designate.model.codec import UNSET
from designate.model.query import Page
from designate.model.recordsets import RecordSet
from designate.model.zones import Action, PrimaryAddress, Status, ZoneDraft, ZonePatch, ZoneType

RECORDSET = RecordSet(
    id="r",
    zone_id="z",
    zone_name="example.com.",
    project_id="p",
    name="www.example.com.",
    type="A",
    records=("192.0.2.1",),
    action=Action.CREATE,
    status=Status.PENDING,
    created_at=datetime(2026, 11, 23, 3, 47, 51, 12),
)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (RecordSet, RECORDSET),
        (Page[RecordSet], Page(items=(RECORDSET,), total_count=1)),
        (tuple[PrimaryAddress, ...], (PrimaryAddress(host="192.0.2.1", port=5353),)),
        (
            ZoneDraft,
            ZoneDraft(name="a.b.", type=ZoneType.SECONDARY, masters=(PrimaryAddress(host="::1"),)),
        ),
        (ZonePatch, ZonePatch(description=None)),
        (str | None, None),
        (dict[str, int], {"a": 1}),
    ],
)
def test_a_value_survives_the_journey_through_json(hint, value):
    plain = json.loads(json.dumps(codec.to_plain(hint, value)))

    assert codec.from_plain(hint, plain) == value


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    books: "tuple[Book, ...]" = field(metadata=codec.COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    title: str
    pages: int = 100
    notes: dict[str, str] = field(default_factory=dict)
    read_at: datetime | None = None


BOOKS = (
    Book(title="a", notes={"x": "1"}),
    Book(title="b", pages=200, notes={"x": "1"}, read_at=datetime(2026, 1, 2)),
    Book(title="c", notes={"x": "1"}),
)


@pytest.mark.parametrize("count", range(4))
def test_columns_come_back_as_the_items_that_they_were(count):
    shelf = Shelf(books=BOOKS[:count])

    plain = json.loads(json.dumps(codec.to_plain(Shelf, shelf)))

    assert codec.from_plain(Shelf, plain) == shelf


def test_in_columns_what_all_items_have_is_written_once():
    plain = codec.to_plain(Shelf, Shelf(books=BOOKS))["books"]

    assert plain == {
        "count": 3,
        "same": {"notes": {"x": "1"}},
        "each": {
            "title": ["a", "b", "c"],
            "pages": [100, 200, 100],
            "read_at": [None, "2026-01-02T00:00:00.000000", None],
        },
    }


def test_items_of_columns_share_nothing_that_can_be_changed():
    shelf = codec.from_plain(Shelf, codec.to_plain(Shelf, Shelf(books=BOOKS)))
    other = codec.from_plain(Shelf, {"books": {"count": 2, "same": {"title": "a"}, "each": {}}})

    shelf.books[0].notes["x"] = "2"
    other.books[0].notes["x"] = "2"

    assert shelf.books[1].notes == {"x": "1"}
    assert other.books == (Book(title="a", notes={"x": "2"}), Book(title="a"))


def test_columns_that_a_reader_does_not_know_are_ignored_and_missing_ones_take_the_default():
    plain = {"count": 2, "same": {"colour": 1}, "each": {"title": ["a", "b"], "size": [1, 2]}}

    assert codec.from_plain(Shelf, {"books": plain}).books == (Book(title="a"), Book(title="b"))


@pytest.mark.parametrize("each", [{}, {"title": ["a"]}, {"title": ["a", "b", "c"]}])
def test_items_without_all_their_values_are_refused(each):
    with pytest.raises((TypeError, ValueError), match="title"):
        codec.from_plain(Shelf, {"books": {"count": 2, "same": {}, "each": each}})


def test_a_page_of_alike_recordsets_says_most_of_them_once():
    items = tuple(replace(RECORDSET, id=f"r{number}") for number in range(100))

    long = len(json.dumps([codec.to_plain(RecordSet, item) for item in items]))
    short = len(json.dumps(codec.to_plain(Page[RecordSet], Page(items=items))))

    assert short < long / 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    name: str

    def __post_init__(self) -> None:
        raise ValueError


@dataclass(frozen=True, kw_only=True)
class Open:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    checked: tuple[Checked, ...] = field(metadata=codec.COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPages:
    open: tuple[Open, ...] = field(metadata=codec.COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchPages:
    patches: tuple[ZonePatch, ...] = field(metadata=codec.COLUMNS)


@pytest.mark.parametrize("hint", [Pages, OpenPages, PatchPages])
def test_columns_are_of_plain_classes_alone(hint):
    with pytest.raises(TypeError):
        codec.decoder(hint)


def test_unset_members_are_left_out_and_null_ones_kept():
    assert codec.to_plain(ZonePatch, ZonePatch(description=None)) == {"description": None}
    assert codec.from_plain(ZonePatch, {"description": None}).ttl is UNSET


def test_timestamps_always_have_six_digits_and_no_zone():
    plain = codec.to_plain(RecordSet, RECORDSET)

    assert plain["created_at"] == "2026-11-23T03:47:51.000012"


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Newer:
    name: str
    colour: str = "blue"


def test_a_reader_ignores_members_that_it_does_not_know():
    plain = codec.to_plain(Newer, Newer(name="x", colour="red"))

    assert codec.from_plain(Older, plain) == Older(name="x")


def test_a_reader_takes_the_default_for_members_that_are_missing():
    plain = codec.to_plain(Older, Older(name="x"))

    assert codec.from_plain(Newer, plain) == Newer(name="x", colour="blue")


def test_the_context_keeps_identity_and_switches_but_not_the_token():
    context = Context(auth_token="secret", project_id="p", roles=["member"], all_projects=True)

    plain = codec.to_plain(Context, context)
    back = codec.from_plain(Context, plain | {"something_new": 1})

    assert "secret" not in json.dumps(plain)
    assert (back.project_id, back.roles, back.all_projects) == ("p", ["member"], True)
    assert back.request_id == context.request_id


def test_a_type_without_a_rule_is_refused():
    with pytest.raises(TypeError, match="no rule"):
        codec.encoder(set[str])
