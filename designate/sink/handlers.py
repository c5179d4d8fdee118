"""Event handlers; plug-ins use the entry point group `designate.notification.handler`.

`[service:sink] enabled_notification_handlers` selects them; the options of each are in the group
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
    """The sender's context, with the naive UTC time `at` of the event, or None if it is unknown."""

    def __init__(self, context: Mapping[str, Any], at: datetime | None) -> None:
        super().__init__(context)
        self.at = at


def group(name: str) -> str:
    """Return the option group of a handler."""
    return f"handler:{name}"


def source_options(exchange: str) -> list[cfg.Opt]:
    """Return the options of every handler."""
    return [
        cfg.ListOpt(
            "notification_topics",
            default=["notifications"],
            help="Topics of the events. Other services that consume the same topic take events away, "
            "unless [service:sink] listener_pool_name is set.",
        ),
        cfg.StrOpt("control_exchange", default=exchange, help="Exchange of the events."),
    ]


def address_options(exchange: str, default: str) -> list[cfg.Opt]:
    """Return the options of handlers that name addresses; default is the template if none is set."""
    meaning = "Template of a recordset's name; may be set several times. Unset: " + default
    return [
        *source_options(exchange),
        cfg.StrOpt("zone_id", help="Id of the zone for the names. Unset: events are ignored."),
        cfg.MultiStrOpt("formatv4", help=f"{meaning} (names of IPv4 addresses)"),
        cfg.MultiStrOpt("formatv6", help=f"{meaning} (names of IPv6 addresses)"),
    ]


class Handler:
    """Base of event handlers.

    `process_notification` may be called by several threads, repeatedly for the same event, and for an
    older event after a newer one. It raises Unavailable for an event to retry.

    Attributes:
        __plugin_name__: the name of the entry point and of the option group.
        OPTIONS: the options of that group.
        central_api: the operations on records that are available to a handler.
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
        """Return the exchange and the topics of the events."""
        return self.options.control_exchange, list(self.options.notification_topics)

    def get_event_types(self) -> list[str]:
        """Return the types of the events to process."""
        raise NotImplementedError

    def process_notification(
        self, context: EventContext, event_type: str, payload: Mapping[str, Any]
    ) -> None:
        """Process one event. Raises Unavailable to have it redelivered."""
        raise NotImplementedError


class AddressHandler(Handler):
    """Base of handlers that name the addresses of a resource; DEFAULT is the default template."""

    RESOURCE_TYPE: ClassVar[str]
    DEFAULT: ClassVar[str]

    def __init__(self, conf: cfg.ConfigOpts, central_api: Records) -> None:
        """Check the templates. Raises ConfigurationError for an invalid one."""
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
        """Replace the records of the resource by those of these addresses.

        Args:
            context: the context of the event.
            resource_id: the resource.
            project_id: its project.
            addresses: each with the variables for its templates.
        """
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
                "%s %s: no name for %s: %s", self.RESOURCE_TYPE, resource_id, address, problem
            )
        return [
            RecordSetDraft(name=name, type=RRTYPES[version], records=(address,)) for name in found
        ]


class NovaFixed(AddressHandler):
    """Names the fixed addresses of instances, from Nova's unversioned notifications."""

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
    """Names floating addresses while they have a port, from Neutron's notifications."""

    __plugin_name__ = "neutron_floatingip"
    RESOURCE_TYPE = "floatingip"
    # Neutron's events have no host name.
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
    """Logs events."""

    __plugin_name__ = "fake"
    OPTIONS = [
        *source_options("fake"),
        cfg.ListOpt("allowed_event_types", default=[], help="Types of the events to log."),
    ]

    def get_event_types(self) -> list[str]:
        return list(self.options.allowed_event_types)

    def process_notification(
        self,
        context: EventContext,  # noqa: ARG002 - part of the interface
        event_type: str,
        payload: Mapping[str, Any],  # noqa: ARG002 - part of the interface
    ) -> None:
        LOG.info("%s: received event %s", self.__plugin_name__, event_type)


def _members(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of an event that templates may use."""
    return {key: value for key, value in payload.items() if isinstance(value, str | int | float)}


SHIPPED = (NovaFixed, NeutronFloatingIp, Fake)
OPTIONS_BY_GROUP = {group(handler.__plugin_name__): handler.OPTIONS for handler in SHIPPED}


def check_event(payload: object) -> Mapping[str, Any]:
    """Return the payload of an event. Raises BadRequest if it is not an object."""
    if not isinstance(payload, Mapping):
        raise errors.BadRequest("the payload is not an object")
    return payload
