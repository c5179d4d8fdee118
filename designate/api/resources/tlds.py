"""The resource /v2/tlds."""

from __future__ import annotations

from designate.api import body as bodies
from designate.api import fields
from designate.api.paging import DATE_SORT_KEYS
from designate.api.resource import Resource
from designate.api.routing import Route
from designate.api.shape import STRING, member, nullable, stored_object
from designate.model.tlds import TldDraft, TldPatch

NEW, CHANGES = bodies.create_and_update(
    "Tld",
    {
        "name": fields.text(255).described(
            "The domain without the trailing dot; it may have several labels, such as `co.uk`."
        ),
        "description": fields.description,
    },
    required=("name",),
)
TLDS = Resource(
    name="tlds",
    singular="a top-level domain",
    path="/tlds",
    id_name="tld_id",
    client=lambda central: central.tlds,
    shape=stored_object(
        "Tld",
        name=member(STRING, "The domain without the trailing dot."),
        description=member(nullable(STRING)),
    ),
    self_path=lambda tld: f"/tlds/{tld.id}",
    sort_keys=(*DATE_SORT_KEYS, "name"),
    filters=("name",),
    make_draft=bodies.draft_maker(TldDraft, NEW),
    create_body=NEW,
    make_patch=bodies.patch_maker(TldPatch, CHANGES),
    update_body=CHANGES,
    has_count=False,
)


def routes() -> list[Route]:
    """Return the routes of this resource."""
    return TLDS.routes()
