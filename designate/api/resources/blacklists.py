"""The resource /v2/blacklists."""

from __future__ import annotations

from designate.api import body as bodies
from designate.api import fields
from designate.api.paging import DATE_SORT_KEYS
from designate.api.resource import Resource
from designate.api.routing import Route
from designate.api.shape import STRING, member, nullable, stored_object
from designate.model.blacklists import BlacklistDraft, BlacklistPatch

NEW, CHANGES = bodies.create_and_update(
    "Blacklist",
    {
        "pattern": fields.text(255).described(
            "A regular expression; zones whose name it matches anywhere are forbidden."
        ),
        "description": fields.description,
    },
    required=("pattern",),
)
BLACKLISTS = Resource(
    name="blacklists",
    singular="a blacklist entry",
    path="/blacklists",
    id_name="blacklist_id",
    client=lambda central: central.blacklists,
    shape=stored_object(
        "Blacklist",
        pattern=member(STRING, "A regular expression."),
        description=member(nullable(STRING)),
    ),
    self_path=lambda blacklist: f"/blacklists/{blacklist.id}",
    sort_keys=(*DATE_SORT_KEYS, "pattern"),
    filters=("pattern",),
    make_draft=bodies.draft_maker(BlacklistDraft, NEW),
    create_body=NEW,
    make_patch=bodies.patch_maker(BlacklistPatch, CHANGES),
    update_body=CHANGES,
    has_count=False,
)


def routes() -> list[Route]:
    """Return the routes of this resource."""
    return BLACKLISTS.routes()
