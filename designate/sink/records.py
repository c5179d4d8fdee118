"""The operations on records that handlers may use, through central."""

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
    """Manages the records of resources; raises the errors of central. Thread-safe."""

    def __init__(self, central: CentralClient) -> None:
        self._central = central

    def zone_name(self, zone_id: str) -> str:
        """Return the name of a zone."""
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
        """Set the recordsets of a resource and return them; see rpc.interfaces.ManagedNamesApi."""
        about = f"{resource.resource_type} {resource.resource_id}"
        done = self._central.managed_names.declare(
            admin_context(), zone_id, resource, tuple(drafts), at, keep
        )
        for reason in done.refused:
            LOG.warning("%s: no name in zone %s: %s", about, zone_id, reason)
        if done.outdated:
            LOG.info("%s: ignoring an event that is older than the last one", about)
        return done.recordsets

    # -- the interface for third-party handlers --------------------------------------------------

    def create_managed_records(
        self,
        context: object,  # noqa: ARG002 - part of the interface
        zone_id: str,
        records_values: Sequence[Values],
        recordset_values: Values,
    ) -> tuple[RecordSet, ...]:
        """Create one recordset from these records.

        Each record has its `data` and identifies its resource by managed_plugin_type,
        managed_plugin_name, managed_resource_type and managed_resource_id.
        """
        if not records_values:
            raise errors.BadRequest("a managed recordset needs records")
        draft = RecordSetDraft(
            name=str(recordset_values["name"]),
            type=str(recordset_values["type"]),
            ttl=recordset_values.get("ttl"),
            records=tuple(dict.fromkeys(str(values["data"]) for values in records_values)),
        )
        return self.declare(zone_id, _resource(records_values[0]), (draft,), keep=True)

    def delete_managed_records(
        self,
        context: object,  # noqa: ARG002 - part of the interface
        zone_id: str,
        criterion: Values,
    ) -> None:
        """Delete the records of a resource, identified as in create_managed_records."""
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
