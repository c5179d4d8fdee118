"""What the processes call at each other: one Protocol per aggregate, one module for each."""

from designate.rpc.interfaces.access import AccessApi
from designate.rpc.interfaces.base import CONTRACT, CallKind, Interface, call_kind
from designate.rpc.interfaces.blacklists import BlacklistsApi
from designate.rpc.interfaces.exports import ExportsApi
from designate.rpc.interfaces.floatingips import FloatingIpsApi
from designate.rpc.interfaces.imports import ImportsApi
from designate.rpc.interfaces.leases import LeasesApi
from designate.rpc.interfaces.managed_names import ManagedNamesApi
from designate.rpc.interfaces.pools import PoolsApi
from designate.rpc.interfaces.quotas import QuotasApi
from designate.rpc.interfaces.recordsets import RecordSetsApi
from designate.rpc.interfaces.secondary import SecondaryApi
from designate.rpc.interfaces.services import ServicesApi
from designate.rpc.interfaces.shares import SharesApi
from designate.rpc.interfaces.status import StatusApi
from designate.rpc.interfaces.sweeps import SweepsApi
from designate.rpc.interfaces.tlds import TldsApi
from designate.rpc.interfaces.transfers import TransferAcceptsApi, TransferRequestsApi
from designate.rpc.interfaces.tsigkeys import TsigKeysApi
from designate.rpc.interfaces.usage import UsageApi
from designate.rpc.interfaces.worker import WorkerApi
from designate.rpc.interfaces.zones import ZonesApi

__all__ = [
    "CONTRACT",
    "AccessApi",
    "BlacklistsApi",
    "CallKind",
    "ExportsApi",
    "FloatingIpsApi",
    "ImportsApi",
    "Interface",
    "LeasesApi",
    "ManagedNamesApi",
    "PoolsApi",
    "QuotasApi",
    "RecordSetsApi",
    "SecondaryApi",
    "ServicesApi",
    "SharesApi",
    "StatusApi",
    "SweepsApi",
    "TldsApi",
    "TransferAcceptsApi",
    "TransferRequestsApi",
    "TsigKeysApi",
    "UsageApi",
    "WorkerApi",
    "ZonesApi",
    "call_kind",
]
