"""What handlers may do: keep names of resources in a zone, by way of central."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from designate import errors
from designate.context import admin_context
from designate.model.recordsets import Managed, RecordSet, RecordSetDraft
from designate.rpc.clients import CentralClient

LOG = logging.getLogger(__name__)

Values = Mapping[str, Any]


class Records:
    """Raises what central raises. Thread-safe."""

    def __init__(self, central: CentralClient) -> None:
        self._central = central

    def zone_name(self, zone_id: str) -> str:
        return self._central.zones.get(admin_context(), zone_id).name

    def declare(
        self,
        zone_id: str,
        resource: Managed,
        drafts: Sequence[RecordSetDraft],
        at: datetime | None = None,
        *,
        keep: bool = False,
    ) -> tuple[RecordSet, ...]:
        """See rpc.interfaces.ManagedNamesApi. Answers what stands for the resource now."""
        about = f"{resource.resource_type} {resource.resource_id}"
        done = self._central.managed_names.declare(
            admin_context(), zone_id, resource, tuple(drafts), at, keep
        )
        for reason in done.refused:
            LOG.warning("%s has no name in zone %s: %s", about, zone_id, reason)
        if done.outdated:
            LOG.info("an older event of %s came after a newer one and does nothing", about)
        return done.recordsets

    # -- as handlers of other origin call it -----------------------------------------------------

    def create_managed_records(
        self,
        context: object,
        zone_id: str,
        records_values: Sequence[Values],
        recordset_values: Values,
    ) -> tuple[RecordSet, ...]:
        """Make one recordset of these records. Each of them says what it stands for:
        managed_plugin_type, managed_plugin_name, managed_resource_type, managed_resource_id; and
        its `data`."""
        if not records_values:
            raise errors.BadRequest("a managed recordset needs records")
        draft = RecordSetDraft(
            name=str(recordset_values["name"]),
            type=str(recordset_values["type"]),
            ttl=recordset_values.get("ttl"),
            records=tuple(dict.fromkeys(str(values["data"]) for values in records_values)),
        )
        return self.declare(zone_id, _resource(records_values[0]), (draft,), keep=True)

    def delete_managed_records(self, context: object, zone_id: str, criterion: Values) -> None:
        """Delete all that stands for the resource which the criterion names, in the words of
        create_managed_records."""
        self.declare(zone_id, _resource(criterion), ())


def _resource(values: Values) -> Managed:
    try:
        return Managed(
            plugin_type=str(values["managed_plugin_type"]),
            plugin_name=str(values["managed_plugin_name"]),
            resource_type=str(values["managed_resource_type"]),
            resource_id=str(values["managed_resource_id"]),
            resource_region=values.get("managed_resource_region"),
            extra=values.get("managed_extra"),
            project_id=values.get("managed_tenant_id"),
        )
    except KeyError as error:
        raise errors.BadRequest(f"a managed record needs {error.args[0]}") from None
