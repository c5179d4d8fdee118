"""Every option of designate.conf, collected from the modules that read them.

A module declares `OPTS` for its `GROUP`, or `OPTIONS_BY_GROUP` for several groups. The modules are
named here as strings and imported at the first use, so that every layer may import this one. As a
command it prints the configuration reference:

    python -m designate.config > doc/configuration.md
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path

from oslo_config import cfg

from designate import ignored_options, messaging

MODULES = (
    "designate.api.app",
    "designate.api.browser_guard",
    "designate.api.rate_limit",
    "designate.api.server",
    "designate.central.tsigkeys",
    "designate.central.secondary_timers",
    "designate.central.pool_moves",
    "designate.central.network",
    "designate.central.quotas",
    "designate.central.recordsets",
    "designate.central.scheduler",
    "designate.central.service",
    "designate.central.status",
    "designate.central.jobs",
    "designate.central.zone_creation",
    "designate.health",
    "designate.heartbeat",
    "designate.http.tls",
    "designate.mdns.handler",
    "designate.mdns.rate_limit",
    "designate.mdns.server",
    "designate.mdns.tls",
    "designate.mdns.zone_cache",
    "designate.notifications",
    "designate.producer.exists",
    "designate.producer.reconcile",
    "designate.producer.membership",
    "designate.producer.service",
    "designate.producer.service_statuses",
    "designate.producer.sweeps",
    "designate.shared_options",
    "designate.sink.handlers",
    "designate.sink.service",
    "designate.storage.sqlalchemy.db.options",
    "designate.worker.secondary",
    "designate.worker.service",
)

# Libraries that say too much at their own level.
QUIETER = ["kazoo.client=WARN", "keystone=INFO", "oslo_service.loopingcall=WARN"]

EVERYWHERE = ("notifications", "health", "heartbeat", "shared_options")
# The packages whose options each process reads; it does not import the others.
PARTS = {
    "api": ("api", "http"),
    "central": ("central", "storage"),
    "mdns": ("mdns", "storage"),
    "producer": ("producer",),
    "sink": ("sink",),
    "worker": ("worker",),
}

HEAD = """\
# Configuration reference

Every option of `designate.conf` that the service reads, by group. Unknown groups and options are
ignored. This page is generated: `python -m designate.config > doc/configuration.md`.
"""


def options_by_group(process: str | None = None) -> dict[str, list[cfg.Opt]]:
    """Return all options, or those of a process, sorted by group and name with DEFAULT first."""
    found: dict[str, list[cfg.Opt]] = {}
    packages = None if process is None else {*EVERYWHERE, *PARTS[process]}
    for name in MODULES:
        if packages is not None and name.split(".")[1] not in packages:
            continue
        module = importlib.import_module(name)
        declared = getattr(module, "OPTIONS_BY_GROUP", None) or {module.GROUP: module.OPTS}
        for group, options in declared.items():
            found.setdefault(group, []).extend(options)
    return {
        group: sorted(found[group], key=lambda option: str(option.name))
        for group in sorted(found, key=lambda group: (group != "DEFAULT", group))
    }


def register(conf: cfg.ConfigOpts, process: str | None = None) -> None:
    """Register every option, or those of a process, with conf; may be repeated."""
    for group, options in options_by_group(process).items():
        conf.register_opts(options, group=None if group == "DEFAULT" else group)


def check_values(conf: cfg.ConfigOpts, process: str | None = None) -> None:
    """Read every option once, since conf checks a value only when it is used.

    Raises:
        ValueError: (cfg.ConfigFileValueError) names the option whose value is invalid.
    """
    for group, options in options_by_group(process).items():
        for option in options:
            conf[group][option.dest] if group != "DEFAULT" else conf[option.dest]


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Return all options for oslo-config-generator (entry point `designate.conf`)."""
    found = options_by_group()
    for group, options in ignored_options.options_by_group().items():
        found[group] = [*found.get(group, []), *options]
    return list(found.items())


def set_library_defaults() -> None:
    """Set our defaults of libraries' options, for oslo-config-generator."""
    from oslo_log import log

    log.set_defaults(default_log_levels=[*log.get_default_log_levels(), *QUIETER])
    messaging.set_library_defaults()
    importlib.import_module("designate.api.middleware").set_cors_defaults()


def find_files(folder: str | None = None, prog: str = "designate") -> list[str]:
    """Return every designate.conf that is read unasked; a later one overrides an earlier one.

    Args:
        folder: the only one to search; None: the checkout's folders, /etc/designate and oslo.config's.
        prog: the program, as designate-api, whose own file oslo.config finds as well.
    """
    root = Path(__file__).absolute().parents[1]
    usual = (Path.cwd(), root / "etc" / "designate", root / "etc", root, Path("/etc/designate"))
    folders = usual if folder is None else (Path(folder),)
    files = [str(found / "designate.conf") for found in folders]
    if folder is None:
        files += cfg.find_config_files("designate", prog)
    return [file for file in dict.fromkeys(files) if Path(file).is_file()]


def find_folders(prog: str, folder: str | None = None) -> list[str]:
    """Return the folders whose *.conf are read after every designate.conf, sorted by name.

    Args:
        prog: the program, as designate-api.
        folder: the only one to search; None: oslo.config's.
    """
    if folder is None:
        found: list[str] = cfg.find_config_dirs("designate", prog)
        return found
    folders = [Path(folder) / f"{name}.conf.d" for name in ("designate", prog)]
    return [str(path) for path in folders if path.is_dir()]


def reference() -> str:
    """Return the configuration reference as Markdown."""
    return "\n".join([HEAD, *_lines()])


def _lines() -> Iterator[str]:
    for group, options in options_by_group().items():
        yield f"## [{group}]\n"
        yield "| Option | Type | Default | Meaning |"
        yield "|---|---|---|---|"
        yield from (_row(option) for option in options if not option.deprecated_for_removal)
        yield ""
    yield "## Options without effect\n"
    yield "Deployment tools write these of Designate's; they are accepted and have no effect here.\n"
    yield "| Option | Reason |"
    yield "|---|---|"
    for group, reasons in ignored_options.REASONS.items():
        yield from (f"| `[{group}] {name}` | {reason} |" for name, reason in reasons.items())


def _row(option: cfg.Opt) -> str:
    return f"| `{option.dest}` | {option.type} | {_default(option)} | {_meaning(option)} |"


def _default(option: cfg.Opt) -> str:
    value = option.default if option.sample_default is None else option.sample_default
    if isinstance(value, list):
        value = ",".join(str(item) for item in value)
    return "" if value is None else f"`{value}`"


def _meaning(option: cfg.Opt) -> str:
    text = " ".join((option.help or "").split()).replace("|", "\\|")
    names = [old.name for old in option.deprecated_opts]
    old = [f"`{name}`" for name in names if name not in (None, option.name)]
    return f"{text} (Old name: {', '.join(old)}.)" if old else text


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - a command
