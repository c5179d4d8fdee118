"""Names of cloud resources."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Protocol

from designate.context import Context
from designate.model.managed_names import Declared
from designate.model.recordsets import Managed, RecordSetDraft
from designate.rpc.interfaces.base import Interface


class ManagedNamesApi(Interface, Protocol):
    """Recordsets that the service manages for cloud resources, in zones that operators chose."""

    NAMESPACE: ClassVar[str] = "resources"
    VERSION: ClassVar[str] = "1.0"

    def declare(
        self,
        context: Context,
        zone_id: str,
        resource: Managed,
        drafts: tuple[RecordSetDraft, ...],
        at: datetime | None = None,
        keep: bool = False,
    ) -> Declared:
        """Make these the resource's recordsets in the zone, in one change of the zone.

        Recordsets of other resources and of clients are never changed.

        Args:
            context: Of the request.
            zone_id: The zone.
            resource: The resource that the recordsets belong to.
            drafts: All recordsets of the resource; others of it are deleted.
            at: When the resource reached this state. A declaration that is older than the stored
                one does nothing. None: not known.
            keep: Do not delete other recordsets of the resource.

        Raises:
            NotFound: There is no such zone.
            BadRequest: The zone cannot hold recordsets of clients.
        """
        ...
