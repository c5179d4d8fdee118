"""Warns of options and groups in the configuration files that nothing reads: usually typing errors.

`option_names.txt` lists the known ones, one `GROUP NAME` a line, so that no process imports all modules
to learn their options. A test checks that it is current; this writes it:

    python -m designate.option_names > designate/option_names.txt
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Iterator
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path

from oslo_config import cfg

LOG = logging.getLogger(__name__)

FILE = Path(__file__).with_name("option_names.txt")
# As in etc/designate/designate-config-generator.conf.
NAMESPACES = (
    "designate.conf",
    "keystonemiddleware.auth_token",
    "oslo.concurrency",
    "oslo.db",
    "oslo.log",
    "oslo.messaging",
    "oslo.middleware",
    "oslo.policy",
    "oslo.reports",
    "oslo.service.service",
    "oslo.service.sslutils",
)
# Entry point groups of the plug-ins whose options are in [TYPE:NAME].
PLUGINS = {
    "backend": "designate.backend",
    "handler": "designate.notification.handler",
    "heartbeat_emitter": "designate.heartbeat_emitter",
    "network_api": "designate.network_api",
    "producer_task": "designate.producer_tasks",
    "quota": "designate.quota",
    "scheduler_filter": "designate.scheduler.filters",
}
AUTH_GROUP = "keystone_authtoken"


def warn(conf: cfg.ConfigOpts) -> None:
    """Log one warning that names what is unknown in the files that conf was read from."""
    found = list(unknown(conf))
    if found:
        LOG.warning("configuration: nothing reads these, check their names: %s", "; ".join(found))


def unknown(conf: cfg.ConfigOpts) -> Iterator[str]:
    """Yield each unknown group and option of the files, with the nearest known name; no values."""
    known = _known()
    for group, names in sorted(_written(conf).items()):
        if _is_foreign(conf, group, known):
            continue
        if group not in known and group not in conf:
            yield f"group [{group}]{_nearest(group, known)}"
            continue
        registered = _registered(conf, group)
        for name in sorted(names):
            if name not in known.get(group, ()) and name not in registered:
                yield f"[{group}] {name}{_nearest(name, known.get(group, ()))}"


def _registered(conf: cfg.ConfigOpts, group: str) -> Container[str]:
    if group == "DEFAULT":
        return frozenset(conf)
    return frozenset(conf[group]) if group in conf else frozenset()


def _written(conf: cfg.ConfigOpts) -> dict[str, set[str]]:
    written: dict[str, set[str]] = {}
    for path in _files(conf):
        sections: dict[str, dict[str, list[str]]] = {}
        cfg.ConfigParser(str(path), sections).parse()
        for group, values in sections.items():
            if values:
                found = written.setdefault(group, set())
                found.update(name.replace("-", "_") for name in values)
    return written


def _files(conf: cfg.ConfigOpts) -> Iterator[Path]:
    yield from map(Path, conf.config_file or ())
    for folder in conf.config_dir or ():
        yield from sorted(Path(folder).glob("*.conf"))


def _is_foreign(conf: cfg.ConfigOpts, group: str, known: dict[str, set[str]]) -> bool:
    """Return whether others define the group's options: a plug-in, or keystoneauth."""
    kind, _, name = group.partition(":")
    if name and group not in known and kind in PLUGINS:
        return name in entry_points(group=PLUGINS[kind]).names
    return AUTH_GROUP in conf and group == conf[AUTH_GROUP].get("auth_section")


def _nearest(name: str, names: Iterable[str]) -> str:
    found = get_close_matches(name, list(names), n=1, cutoff=0.75)
    return f" (did you mean {found[0]}?)" if found else ""


def _known() -> dict[str, set[str]]:
    known: dict[str, set[str]] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        group, name = line.rsplit(" ", 1)
        known.setdefault(group, set()).add(name)
    return known


def lines() -> Iterator[str]:
    """Yield the lines of the file, from the installed libraries."""
    found: set[tuple[str, str]] = set()
    for entry in entry_points(group="oslo.config.opts"):
        if entry.name in NAMESPACES:
            for group, options in entry.load()():
                found.update(_names(str(group or "DEFAULT"), options))
    from keystoneauth1 import loading

    for plugin in loading.get_available_plugin_names():
        options = loading.get_auth_plugin_conf_options(plugin)
        found.update(_names(AUTH_GROUP, options))
    found.update(_names(AUTH_GROUP, loading.get_auth_common_conf_options()))
    found.update(_names(AUTH_GROUP, loading.get_session_conf_options()))
    yield from (f"{group} {name}" for group, name in sorted(found))


def _names(group: str, options: Iterable[cfg.Opt]) -> Iterator[tuple[str, str]]:
    for option in options:
        yield group, option.dest
        for old in option.deprecated_opts:
            yield old.group or group, (old.name or option.name).replace("-", "_")


if __name__ == "__main__":
    print(*lines(), sep="\n")  # noqa: T201 - a command
