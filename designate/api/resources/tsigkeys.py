"""The resource /v2/tsigkeys."""

from __future__ import annotations

from dataclasses import replace

from designate.api import body as bodies
from designate.api import fields
from designate.api.paging import DATE_SORT_KEYS
from designate.api.resource import Resource
from designate.api.routing import Route
from designate.api.shape import STRING, UUID, enum_of, member, stored_object
from designate.model.tsigkeys import TSIG_ALGORITHMS, TsigKeyDraft, TsigKeyPatch, TsigScope

RESOURCE_ID = (
    "The id of the pool or zone, depending on the scope; all zeros with scope POOL: every pool."
)
SCOPE = fields.choice([str(scope) for scope in TsigScope])
NEW, CHANGES = bodies.create_and_update(
    "TsigKey",
    {
        "name": fields.text(160, allow_empty=False),
        "algorithm": fields.choice(TSIG_ALGORITHMS),
        "secret": fields.text(160).described("Base64."),
        "scope": replace(SCOPE, read=lambda name, value: TsigScope(SCOPE(name, value))),
        "resource_id": fields.identifier.described(RESOURCE_ID),
    },
    required=("name", "algorithm", "secret", "scope", "resource_id"),
)
TSIGKEYS = Resource(
    name="tsigkeys",
    singular="a TSIG key",
    path="/tsigkeys",
    id_name="tsigkey_id",
    client=lambda central: central.tsigkeys,
    shape=stored_object(
        "TsigKey",
        name=member(STRING),
        algorithm=member(enum_of(TSIG_ALGORITHMS)),
        secret=member(STRING, "Base64."),
        scope=member(enum_of(TsigScope)),
        resource_id=member(UUID, RESOURCE_ID),
    ),
    self_path=lambda key: f"/tsigkeys/{key.id}",
    sort_keys=(*DATE_SORT_KEYS, "name"),
    filters=("name", "algorithm", "scope"),
    make_draft=bodies.draft_maker(TsigKeyDraft, NEW),
    create_body=NEW,
    make_patch=bodies.patch_maker(TsigKeyPatch, CHANGES),
    update_body=CHANGES,
    has_count=False,
)


def routes() -> list[Route]:
    """Return the routes of this resource."""
    return TSIGKEYS.routes()
