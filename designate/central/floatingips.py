"""PTR records of floating IPs, which follow the owners of the addresses in the network service."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from designate import errors, rrtypes
from designate.central import network, reverse_names, reverse_zones, zone_rules
from designate.central.base import Core
from designate.central.network import FloatingIpQuery, NetworkAddress
from designate.context import Context
from designate.model.codec import UNSET
from designate.model.floatingips import FloatingIp, FloatingIpPatch, NetworkEndpoint
from designate.model.recordsets import Managed, RecordSet
from designate.storage.sqlalchemy import recordsets
from designate.storage.sqlalchemy.recordsets import StoredRecordSet

LOG = logging.getLogger(__name__)

PLUGIN_TYPE = "network_api"
RESOURCE_TYPE = "ptr:floatingip"

# A recordset and the TTL of its zone.
StoredPtr = tuple[StoredRecordSet, int]


class FloatingIpsEndpoint:
    """See rpc.interfaces.FloatingIpsApi.

    There are no policy rules: the network service decides which floating IPs a project has, and a project
    may set the PTR record of any of them.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._network = network.load(core.conf)
        self._reverse = reverse_zones.ReverseZones(core)

    # -- reading ---------------------------------------------------------------------------------

    def find(
        self, context: Context, token: str, catalog: tuple[NetworkEndpoint, ...] = ()
    ) -> tuple[FloatingIp, ...]:
        project_id = _project_of(context)
        query = FloatingIpQuery(project_id=project_id, token=token, catalog=catalog)
        return self._with_ptrs(project_id, self._owned_addresses(query))

    def get(
        self,
        context: Context,
        region: str,
        floatingip_id: str,
        token: str,
        catalog: tuple[NetworkEndpoint, ...] = (),
    ) -> FloatingIp:
        project_id = _project_of(context)
        address = self._network_address(project_id, region, floatingip_id, token, catalog)
        (found,) = self._with_ptrs(project_id, [address])
        return found

    def _network_address(
        self,
        project_id: str,
        region: str,
        floatingip_id: str,
        token: str,
        catalog: tuple[NetworkEndpoint, ...],
    ) -> NetworkAddress:
        """Return the floating IP, or raise NotFound if the project does not have it."""
        query = FloatingIpQuery(
            project_id=project_id,
            token=token,
            catalog=catalog,
            region=region,
            floatingip_id=floatingip_id,
        )
        for address in self._owned_addresses(query):
            if (address.region, address.id) == (region, floatingip_id):
                return address
        raise errors.NotFound(message="Could not find FloatingIP")

    def _owned_addresses(self, query: FloatingIpQuery) -> list[NetworkAddress]:
        """Return what the network service lists, with canonical addresses.

        Invalid addresses are left out: they have no name in DNS.
        """
        usable = []
        for found in self._network.floatingips(query):
            try:
                usable.append(replace(found, address=reverse_names.canonical(found.address)))
            except ValueError:
                LOG.warning("floating IP %s:%s: invalid address, ignored", found.region, found.id)
        return usable

    def _with_ptrs(
        self, project_id: str, addresses: Sequence[NetworkAddress]
    ) -> tuple[FloatingIp, ...]:
        """Return the floating IPs with their stored PTR records.

        PTR records of projects that no longer have the address are deleted.
        """
        stored = self._stored([found.address for found in addresses])
        self._delete_foreign(project_id, stored)
        mine = {
            old.recordset.managed_by.extra: (old, zone_ttl)
            for old, zone_ttl in stored
            if old.recordset.managed_by and old.recordset.project_id == project_id
        }
        return tuple(
            _floatingip(found, mine[found.address][0].recordset, mine[found.address][1])
            if found.address in mine
            else FloatingIp(region=found.region, id=found.id, address=found.address)
            for found in addresses
        )

    def _stored(self, addresses: Sequence[str]) -> list[StoredPtr]:
        with self._core.db.read() as connection:
            return recordsets.find_managed(connection, RESOURCE_TYPE, "extra", addresses)

    def _delete_foreign(self, project_id: str, stored: Sequence[StoredPtr]) -> None:
        def is_foreign(recordset: RecordSet) -> bool:
            return recordset.project_id != project_id

        foreign = [old for old, _ in stored if is_foreign(old.recordset)]
        if foreign and self._reverse.delete(foreign, is_foreign):
            for old in foreign:
                LOG.info(
                    "recordset %s: deleted, the floating IP of %s now belongs to another project",
                    old.recordset.id,
                    old.recordset.name,
                )

    # -- changing --------------------------------------------------------------------------------

    def update(
        self,
        context: Context,
        region: str,
        floatingip_id: str,
        patch: FloatingIpPatch,
        token: str,
        catalog: tuple[NetworkEndpoint, ...] = (),
    ) -> FloatingIp | None:
        project_id = _project_of(context)
        if patch.ptrdname is UNSET:
            return None
        rdata = b""
        if patch.ptrdname is not None:
            rrtypes.check_domain(patch.ptrdname)
            (rdata,) = rrtypes.rdata("PTR", patch.ptrdname, (patch.ptrdname,))
            zone_rules.check_ttl(self._core, context, patch.ttl)
        address = self._network_address(project_id, region, floatingip_id, token, catalog)
        stored = self._stored([address.address])
        self._delete_foreign(project_id, stored)
        own = [old for old, _ in stored if old.recordset.project_id == project_id]
        if patch.ptrdname is None:
            self._delete(project_id, own)
            return None
        ptr = reverse_zones.PtrDraft(
            address=address.address,
            ptrdname=patch.ptrdname,
            rdata=rdata,
            ttl=patch.ttl,
            description=patch.description,
            managed=self._managed(project_id, address),
        )
        return self._store(address, ptr, own)

    def _managed(self, project_id: str, address: NetworkAddress) -> Managed:
        return Managed(
            plugin_type=PLUGIN_TYPE,
            plugin_name=self._network.name,
            resource_type=RESOURCE_TYPE,
            resource_region=address.region,
            resource_id=address.id,
            extra=address.address,
            project_id=project_id,
        )

    def _store(
        self, address: NetworkAddress, ptr: reverse_zones.PtrDraft, own: Sequence[StoredRecordSet]
    ) -> FloatingIp:
        zone_id = self._reverse.find_or_create_zone(ptr.address)
        recordset, zone = self._reverse.store(zone_id, ptr)
        # A reverse zone that was created later is nearer and hides the recordset in the other one.
        self._reverse.delete(
            [old for old in own if old.recordset.zone_id != zone_id],
            lambda old: old.project_id == ptr.managed.project_id,
        )
        return _floatingip(address, recordset, zone.ttl)

    def _delete(self, project_id: str, own: Sequence[StoredRecordSet]) -> None:
        if not self._reverse.delete(own, lambda old: old.project_id == project_id):
            raise errors.NotFound(message="The floating IP has no PTR record")


def _project_of(context: Context) -> str:
    if context.project_id is None:
        raise errors.Unauthorized("Floating IPs require a project-scoped token")
    return str(context.project_id)


def _floatingip(address: NetworkAddress, recordset: RecordSet, zone_ttl: int) -> FloatingIp:
    return FloatingIp(
        region=address.region,
        id=address.id,
        address=address.address,
        ptrdname=recordset.records[0],
        ttl=zone_ttl if recordset.ttl is None else recordset.ttl,
        description=recordset.description,
        action=recordset.action,
        status=recordset.status,
    )
