"""Handlers of events. Others may add theirs: an entry point `designate.notification.handler`.

Which are used, `[service:sink] enabled_notification_handlers` says; each has its options in the group
`handler:<name>`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from oslo_config import cfg

from designate import errors
from designate.model.recordsets import Managed, RecordSetDraft
from designate.sink import names
from designate.sink.records import Records

LOG = logging.getLogger(__name__)

PLUGIN_TYPE = "handler"
RRTYPES = {4: "A", 6: "AAAA"}


class EventContext(dict[str, Any]):
    """The sender's context. at: when the event happened, naive UTC; None where the sender does not say."""

    def __init__(self, context: Mapping[str, Any], at: datetime | None) -> None:
        super().__init__(context)
        self.at = at


def group(name: str) -> str:
    return f"handler:{name}"


def source_options(exchange: str) -> list[cfg.Opt]:
    """The options that every handler has."""
    return [
        cfg.ListOpt(
            "notification_topics",
            default=["notifications"],
            help="Topics of the events. A topic that other services read as well loses events to "
            "them, unless [service:sink] listener_pool_name is set.",
        ),
        cfg.StrOpt(
            "control_exchange", default=exchange, help="Exchange that the events are sent to."
        ),
    ]


def address_options(exchange: str, default: str) -> list[cfg.Opt]:
    """The options of handlers that give names to addresses. default: the template where the
    operator gives none."""
    meaning = "Template of a recordset's name; may be given several times. Unset: " + default
    return [
        *source_options(exchange),
        cfg.StrOpt("zone_id", help="Zone of the names. Unset: events are ignored."),
        cfg.MultiStrOpt("formatv4", help=f"{meaning} (names of IPv4 addresses)"),
        cfg.MultiStrOpt("formatv6", help=f"{meaning} (names of IPv6 addresses)"),
    ]


class Handler:
    """__plugin_name__: of the entry point and of the options' group. central_api: what it may do.

    `process_notification` raises Unavailable for what is to be tried again. It may be called in several
    threads at once, again for an event that was dealt with, and for an older event after a newer one.
    """

    __plugin_name__: ClassVar[str]
    OPTIONS: ClassVar[list[cfg.Opt]]

    def __init__(self, conf: cfg.ConfigOpts, central_api: Records) -> None:
        name = group(self.__plugin_name__)
        conf.register_group(cfg.OptGroup(name))
        conf.register_opts(self.OPTIONS, group=name)
        self.options = conf[name]
        self.central_api = central_api

    def get_exchange_topics(self) -> tuple[str, list[str]]:
        return self.options.control_exchange, list(self.options.notification_topics)

    def get_event_types(self) -> list[str]:
        raise NotImplementedError

    def process_notification(
        self, context: EventContext, event_type: str, payload: Mapping[str, Any]
    ) -> None:
        raise NotImplementedError


class AddressHandler(Handler):
    """Gives names to the addresses of one kind of resource. DEFAULT: the template where the operator
    gives none."""

    RESOURCE_TYPE: ClassVar[str]
    DEFAULT: ClassVar[str]

    def __init__(self, conf: cfg.ConfigOpts, central_api: Records) -> None:
        """Raises ConfigurationError for a template that is none."""
        super().__init__(conf, central_api)
        self._templates = {
            4: self.options.formatv4 or [self.DEFAULT],
            6: self.options.formatv6 or [self.DEFAULT],
        }
        for templates in self._templates.values():
            for template in templates:
                names.check(template)
        if not self.options.zone_id:
            LOG.error(
                "[%s] zone_id is not set: its events are ignored", group(self.__plugin_name__)
            )

    def process_notification(
        self, context: EventContext, event_type: str, payload: Mapping[str, Any]
    ) -> None:
        if self.options.zone_id:
            self._process(context, event_type, payload)

    def _process(self, context: EventContext, event_type: str, payload: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def _declare(
        self,
        context: EventContext,
        resource_id: str,
        project_id: str | None,
        addresses: Sequence[tuple[str, Mapping[str, Any]]],
    ) -> None:
        """Make the names of these addresses all that the resource has. addresses: each with the
        variables for its templates."""
        zone_id = self.options.zone_id
        drafts: list[RecordSetDraft] = []
        if addresses:
            more = {
                "project": context.get("project_name"),
                "zone": self.central_api.zone_name(zone_id),
            }
            for address, values in addresses:
                drafts += self._named(resource_id, address, {**values, **more})
        resource = Managed(
            plugin_type=PLUGIN_TYPE,
            plugin_name=self.__plugin_name__,
            resource_type=self.RESOURCE_TYPE,
            resource_id=resource_id,
            project_id=project_id,
        )
        self.central_api.declare(zone_id, resource, drafts, context.at)

    def _named(
        self, resource_id: str, address: str, values: Mapping[str, Any]
    ) -> list[RecordSetDraft]:
        known = names.address_values(address)
        version = int(str(known["ip_version"]))
        found, problems = names.all_names(self._templates[version], {**values, **known})
        for problem in problems:
            LOG.warning(
                "%s %s has no name for %s: %s", self.RESOURCE_TYPE, resource_id, address, problem
            )
        return [
            RecordSetDraft(name=name, type=RRTYPES[version], records=(address,)) for name in found
        ]


class NovaFixed(AddressHandler):
    """Names of instances at their fixed addresses, from Nova's unversioned notifications."""

    __plugin_name__ = "nova_fixed"
    RESOURCE_TYPE = "instance"
    DEFAULT = "%(hostname)s.%(zone)s"
    OPTIONS = address_options("nova", DEFAULT)
    CREATED = "compute.instance.create.end"
    DELETED = "compute.instance.delete.start"

    def get_event_types(self) -> list[str]:
        return [self.CREATED, self.DELETED]

    def _process(self, context: EventContext, event_type: str, payload: Mapping[str, Any]) -> None:
        addresses = []
        if event_type == self.CREATED:
            members = _members(payload)
            addresses = [
                (str(fixed["address"]), {**members, "label": fixed.get("label")})
                for fixed in payload["fixed_ips"]
            ]
        self._declare(context, payload["instance_id"], payload.get("tenant_id"), addresses)


class NeutronFloatingIp(AddressHandler):
    """Names of floating addresses while they belong to a port, from Neutron's notifications."""

    __plugin_name__ = "neutron_floatingip"
    RESOURCE_TYPE = "floatingip"
    # Neutron says no host's name.
    DEFAULT = "%(ip_address)s.%(zone)s"
    OPTIONS = address_options("neutron", DEFAULT)
    UPDATED = "floatingip.update.end"
    DELETED = "floatingip.delete.start"

    def get_event_types(self) -> list[str]:
        return [self.UPDATED, self.DELETED]

    def _process(self, context: EventContext, event_type: str, payload: Mapping[str, Any]) -> None:
        if event_type == self.DELETED:
            self._declare(context, payload["floatingip_id"], None, [])
            return
        floatingip = payload["floatingip"]
        addresses = []
        if floatingip.get("fixed_ip_address"):
            addresses = [(str(floatingip["floating_ip_address"]), _members(floatingip))]
        self._declare(context, floatingip["id"], floatingip.get("tenant_id"), addresses)


class Fake(Handler):
    """Writes events into the log."""

    __plugin_name__ = "fake"
    OPTIONS = [
        *source_options("fake"),
        cfg.ListOpt("allowed_event_types", default=[], help="Types of the events to write."),
    ]

    def get_event_types(self) -> list[str]:
        return list(self.options.allowed_event_types)

    def process_notification(
        self, context: EventContext, event_type: str, payload: Mapping[str, Any]
    ) -> None:
        LOG.info("%s: received event %s", self.__plugin_name__, event_type)


def _members(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What templates may use of the event."""
    return {key: value for key, value in payload.items() if isinstance(value, str | int | float)}


SHIPPED = (NovaFixed, NeutronFloatingIp, Fake)
OPTIONS_BY_GROUP = {group(handler.__plugin_name__): handler.OPTIONS for handler in SHIPPED}


def check_event(payload: object) -> Mapping[str, Any]:
    if not isinstance(payload, Mapping):
        raise errors.BadRequest("the payload is no object")
    return payload
