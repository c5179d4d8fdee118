"""The commands of designate-manage for the running services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from oslo_config import cfg

from designate.cmd import category
from designate.context import admin_context

if TYPE_CHECKING:
    from designate.model.services import ServiceStatus
    from designate.rpc.clients import CentralClient

MAX_BATCH = 1000


class ServiceCommands(category.Category):
    """The category `service`."""

    help = "the running services"

    def add_commands(self, commands: category.Commands) -> None:
        """See Category."""
        commands.add_parser("list", help="show the services").set_defaults(command=_list)
        clean = commands.add_parser(
            "clean", help="remove services that stopped or send no heartbeats"
        )
        clean.set_defaults(command=_clean)


def _services(central: CentralClient) -> Iterator[ServiceStatus]:
    from designate.cmd.lists import every_item

    return every_item(central.services.find, sort_key="hostname")


def _list(conf: cfg.ConfigOpts, _arguments: Any) -> int:
    rows = [("Service", "Host", "Status", "Last heartbeat")]
    rows += [
        (s.service_name, s.hostname, str(s.status), str(s.heartbeated_at or "never"))
        for s in _services(category.central(conf))
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = zip(row, widths, strict=True)
        print("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
    return 0


def _clean(conf: cfg.ConfigOpts, _arguments: Any) -> int:
    """Remove the services that central, as for the API, finds to be DOWN or STOPPED."""
    from designate.model.services import ServiceState

    central = category.central(conf)
    gone = (ServiceState.DOWN, ServiceState.STOPPED)
    for service in _services(central):
        if service.status in gone:
            print(f"Removing {service.service_name} on {service.hostname}: {service.status}")
    max_age_s = 3 * conf["heartbeat_emitter"].heartbeat_interval
    while central.services.mark_down(admin_context(), max_age_s, MAX_BATCH):
        pass
    while central.services.clean_up(admin_context(), max_age_s, MAX_BATCH):
        pass
    print("Job finished.")
    return 0
