"""The dispatcher of central: the endpoints of all aggregates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from oslo_config import cfg

from designate.central import quotas
from designate.central.base import Core
from designate.central.blacklists import BlacklistsEndpoint
from designate.central.exports import ExportsEndpoint
from designate.central.floatingips import FloatingIpsEndpoint
from designate.central.imports import ImportsEndpoint
from designate.central.jobs import JobRunner
from designate.central.leases import LeasesEndpoint
from designate.central.managed_names import ManagedNamesEndpoint
from designate.central.policy import Policy
from designate.central.pools import PoolsEndpoint
from designate.central.quotas import QuotasEndpoint
from designate.central.recordsets import RecordSetsEndpoint
from designate.central.secondary import SecondaryEndpoint
from designate.central.services import ServicesEndpoint
from designate.central.shares import SharesEndpoint
from designate.central.status import StatusEndpoint
from designate.central.sweeps import SweepsEndpoint
from designate.central.tlds import TldsEndpoint
from designate.central.transfers import TransferAcceptsEndpoint, TransferRequestsEndpoint
from designate.central.tsigkeys import TsigKeysEndpoint
from designate.central.usage import UsageEndpoint
from designate.central.zone_creation import ZoneCreator
from designate.central.zones import ZonesEndpoint
from designate.context import Context
from designate.notifications import NotificationEmitter
from designate.rpc import interfaces
from designate.rpc.bus import Dispatcher
from designate.runtime.clock import utcnow
from designate.storage.sqlalchemy.db.engine import Database

GROUP = "service:central"
OPTS = [
    cfg.IntOpt(
        "max_zone_name_len",
        default=255,
        min=1,
        help="Maximum length of a zone name in characters, including the trailing dot.",
    ),
    cfg.IntOpt(
        "max_recordset_name_len",
        default=255,
        min=1,
        deprecated_name="max_record_name_len",
        help="Maximum length of a recordset name in characters, including the trailing dot.",
    ),
    cfg.StrOpt(
        "managed_resource_email",
        default="hostmaster@example.com",
        help="Contact address in the SOA of zones that the service creates itself.",
    ),
    cfg.StrOpt(
        "managed_resource_tenant_id",
        default="00000000-0000-0000-0000-000000000000",
        help="Project that owns the zones that the service creates itself.",
    ),
    cfg.IntOpt(
        "min_ttl",
        default=0,
        min=0,
        help="Lowest TTL in seconds that users without the policy use_low_ttl may set.",
    ),
    cfg.IntOpt("workers", min=1, help="Number of designate-central processes; one when unset."),
]


class _Access:
    """See rpc.interfaces.AccessApi."""

    def check(self, context: Context) -> None:
        """Do nothing: the dispatcher's guard has checked already."""


def loaded_policy(conf: cfg.ConfigOpts) -> Policy:
    """Return the rules of the policy files, for a process that must not start if one is broken.

    Raises:
        ConfigurationError: A policy file is broken.
    """
    policy = Policy(conf)
    policy.load()
    return policy


def dispatcher(
    conf: cfg.ConfigOpts,
    db: Database,
    worker: interfaces.WorkerApi,
    now: Callable[[], datetime] = utcnow,
    notifier: NotificationEmitter | None = None,
    policy: Policy | None = None,
) -> Dispatcher:
    """Return the dispatcher with all endpoints of central.

    Args:
        conf: The configuration.
        db: The database.
        worker: Client of the workers.
        now: The clock, naive UTC.
        notifier: Sends notifications; None: none are sent.
        policy: Its rules; None: those of the files, once a caller needs a permission.
    """
    policy = policy or Policy(conf)
    core = Core(
        conf=conf,
        db=db,
        worker=worker,
        policy=policy,
        quotas=quotas.load(conf),
        now=now,
        notifier=notifier,
    )
    jobs = JobRunner(core)
    creator = ZoneCreator(core)
    return Dispatcher(
        {
            interfaces.ZonesApi: ZonesEndpoint(core, creator),
            interfaces.RecordSetsApi: RecordSetsEndpoint(core),
            interfaces.ManagedNamesApi: ManagedNamesEndpoint(core),
            interfaces.QuotasApi: QuotasEndpoint(core),
            interfaces.PoolsApi: PoolsEndpoint(core),
            interfaces.TldsApi: TldsEndpoint(core),
            interfaces.BlacklistsApi: BlacklistsEndpoint(core),
            interfaces.TsigKeysApi: TsigKeysEndpoint(core),
            interfaces.SharesApi: SharesEndpoint(core),
            interfaces.TransferRequestsApi: TransferRequestsEndpoint(core),
            interfaces.TransferAcceptsApi: TransferAcceptsEndpoint(core),
            interfaces.FloatingIpsApi: FloatingIpsEndpoint(core),
            interfaces.ServicesApi: ServicesEndpoint(core),
            interfaces.UsageApi: UsageEndpoint(core),
            interfaces.AccessApi: _Access(),
            interfaces.ImportsApi: ImportsEndpoint(core, jobs, creator),
            interfaces.ExportsApi: ExportsEndpoint(core, jobs),
            interfaces.StatusApi: StatusEndpoint(core, jobs),
            interfaces.SecondaryApi: SecondaryEndpoint(core),
            interfaces.SweepsApi: SweepsEndpoint(core),
            interfaces.LeasesApi: LeasesEndpoint(core),
        },
        guard=policy.check_request_flags,
        batch_scope=db.shared_snapshot,
    )
