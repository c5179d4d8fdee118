"""model.codec: values to plain data and back, across releases."""

import json
from dataclasses import dataclass
from datetime import datetime

import pytest

from designate.context import Context
from designate.model import codec
from designate.model.codec import UNSET
from designate.model.query import Page
from designate.model.recordsets import RecordSet
from designate.model.zones import Action, Master, Status, ZoneDraft, ZonePatch, ZoneType

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
        (tuple[Master, ...], (Master(host="192.0.2.1", port=5353),)),
        (ZoneDraft, ZoneDraft(name="a.b.", type=ZoneType.SECONDARY, masters=(Master(host="::1"),))),
        (ZonePatch, ZonePatch(description=None)),
        (str | None, None),
        (dict[str, int], {"a": 1}),
    ],
)
def test_a_value_survives_the_journey_through_json(hint, value):
    plain = json.loads(json.dumps(codec.to_plain(hint, value)))

    assert codec.from_plain(hint, plain) == value


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
