"""The endpoint that the administrators' collections (TLDs, blacklists, TSIG keys) share."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import fields
from typing import Generic, TypeVar

from oslo_policy import policy

from designate.central.base import Core, own_target, page_limit
from designate.central.policy import ADMIN, rule
from designate.context import Context
from designate.model.codec import UNSET
from designate.model.query import Page, Query
from designate.storage.sqlalchemy.db.rows import Rows
from designate.storage.sqlalchemy.db.transaction import Transaction

V = TypeVar("V")
D = TypeVar("D")
P = TypeVar("P")


def crud_rules(path: str, singular: str, plural: str, title: str) -> tuple[policy.RuleDefault, ...]:
    """Return the policy rules of the five operations. title: for their descriptions."""
    item = f"{path}/{{{singular}_id}}"
    return (
        rule(f"create_{singular}", ADMIN, f"POST {path}", f"Create a {title}."),
        rule(f"find_{plural}", ADMIN, f"GET {path}", f"List the {title}s."),
        rule(f"get_{singular}", ADMIN, f"GET {item}", f"Show a {title}."),
        rule(f"update_{singular}", ADMIN, f"PATCH {item}", f"Change a {title}."),
        rule(f"delete_{singular}", ADMIN, f"DELETE {item}", f"Delete a {title}."),
    )


class CrudEndpoint(Generic[V, D, P]):
    """Create, get, find, update and delete of one kind of object.

    Args:
        core: The shared parts of central.
        rows: The stored objects.
        singular: Name of an object in policies and notifications.
        plural: Name of the collection in policies.
        make: Makes a value from the members of a draft.
        validate: Raises for a value that is invalid by itself.
        check: Raises for a value that the configuration or other stored objects rule out. Called in
            the transaction that stores the value.
        after_change: Called with the object's id in the transaction that changes or deletes it.
    """

    def __init__(
        self,
        core: Core,
        rows: Rows[V],
        singular: str,
        plural: str,
        make: Callable[..., V],
        validate: Callable[[V], None],
        check: Callable[[Core, Transaction, V], None] = lambda *_: None,
        after_change: Callable[[Core, Transaction, str], None] = lambda *_: None,
    ) -> None:
        self._core = core
        self._rows = rows
        self._singular = singular
        self._plural = plural
        self._make = make
        self._validate = validate
        self._check = check
        self._after_change = after_change

    def create(self, context: Context, draft: D) -> V:
        members = {field.name: getattr(draft, field.name) for field in fields(draft)}  # type: ignore[arg-type]  # a dataclass
        value = self._make(id=str(uuid.uuid4()), created_at=self._core.now(), **members)
        self._validate(value)
        self._authorize(context, f"create_{self._singular}")

        def write(tx: Transaction) -> V:
            self._check(self._core, tx, value)
            self._rows.insert(tx, value)
            return self._core.notify(tx, context, f"dns.{self._singular}.create", value)

        return self._core.db.write(write)

    def get(self, context: Context, id: str) -> V:
        self._authorize(context, f"get_{self._singular}")
        with self._core.db.read() as connection:
            return self._rows.get(connection, id)

    def find(self, context: Context, query: Query) -> Page[V]:
        self._authorize(context, f"find_{self._plural}")
        with self._core.db.read() as connection:
            return self._rows.find(connection, query, limit=page_limit(self._core, query))

    def update(self, context: Context, id: str, patch: P) -> V:
        self._authorize(context, f"get_{self._singular}")
        members = {
            field.name: value
            for field in fields(patch)  # type: ignore[arg-type]  # a dataclass
            if (value := getattr(patch, field.name)) is not UNSET
        }

        def write(tx: Transaction) -> V:
            before = self._rows.lock(tx, id)
            self._authorize(context, f"update_{self._singular}")
            self._rows.update(tx, id, **members, updated_at=self._core.now())
            value = self._rows.get(tx.connection, id)
            self._validate(value)
            self._check(self._core, tx, value)
            self._after_change(self._core, tx, id)
            return self._core.notify(tx, context, f"dns.{self._singular}.update", value, before)

        return self._core.db.write(write)

    def delete(self, context: Context, id: str) -> None:
        self._authorize(context, f"delete_{self._singular}")

        def write(tx: Transaction) -> None:
            before = self._rows.lock(tx, id)
            self._rows.delete(tx, id)
            self._after_change(self._core, tx, id)
            self._core.notify(tx, context, f"dns.{self._singular}.delete", before)

        self._core.db.write(write)

    def _authorize(self, context: Context, rule: str) -> None:
        self._core.policy.check(rule, context, own_target(context))
