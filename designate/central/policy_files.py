"""The policy files: read at the start and when they change; a broken one leaves the last good rules.

The files are those of oslo.policy: `[oslo_policy] policy_file` and every file of `policy_dirs`. Without any
of them the defaults are in force.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import yaml
from oslo_config import cfg
from oslo_policy import policy

from designate import errors

LOG = logging.getLogger(__name__)
PARSER = logging.getLogger("oslo_policy._parser")

WARNING_INTERVAL_S = 60.0
DENY = "!"

# What shows that a file has changed: path, inode, time in ns and size; no inode: it cannot be read.
Fingerprint = tuple[tuple[str, int, int, int], ...]


class PolicyFault(Exception):
    """Raised for a file whose rules cannot be used; the text is its path, the line and the reason."""


class PolicyFiles:
    """The enforcer with the rules of the files that were right last. Thread-safe."""

    def __init__(self, conf: cfg.ConfigOpts, make: Callable[[], policy.Enforcer]) -> None:
        """Read nothing yet.

        Args:
            conf: names the files.
            make: returns an enforcer with the default rules.
        """
        self._conf = conf
        self._make = make
        self._lock = threading.Lock()
        self._enforcer: policy.Enforcer | None = None
        self._seen: Fingerprint | None = None
        self._fault: str | None = None
        self._warned_s = -WARNING_INTERVAL_S

    def enforcer(self) -> policy.Enforcer:
        """Return the enforcer, with the rules of changed files if they are right.

        Raises:
            ConfigurationError: a file is broken and there were no good rules yet.
        """
        with self._lock:
            seen = _fingerprint(self._conf)
            if seen != self._seen:
                self._read(seen)
            if self._fault and self._enforcer and monotonic() - self._warned_s > WARNING_INTERVAL_S:
                self._warned_s = monotonic()
                LOG.warning(
                    "policy: %s; the rules from before the change stay in force", self._fault
                )
            if self._enforcer is None:
                raise errors.ConfigurationError(str(self._fault))
            return self._enforcer

    def _read(self, seen: Fingerprint) -> None:
        was_broken = self._fault is not None
        try:
            for path in _files(self._conf):
                _validate(path)
            enforcer = self._make()
            enforcer.load_rules(force_reload=True)
        except (PolicyFault, cfg.Error, OSError, ValueError) as error:
            self._fault = str(error)
        else:
            # It would look for changed files at every decision.
            enforcer.use_conf = False
            self._enforcer, self._fault = enforcer, None
            if was_broken:
                LOG.info("policy: the files are right again, their rules are in force")
        self._seen = seen


def _files(conf: cfg.ConfigOpts) -> Iterator[Path]:
    """Yield the files that exist, in the order in which their rules override each other."""
    group = conf.oslo_policy
    main = conf.find_file(group.policy_file)
    if main:
        yield Path(main)
    for folder in filter(None, map(conf.find_file, group.policy_dirs)):
        try:
            names = sorted(os.listdir(folder))
        except OSError as error:
            raise PolicyFault(f"{folder}: {error.strerror}") from None
        for name in names:
            path = Path(folder, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _fingerprint(conf: cfg.ConfigOpts) -> Fingerprint:
    found = []
    try:
        for path in _files(conf):
            status = path.stat()
            found.append((str(path), status.st_ino, status.st_mtime_ns, status.st_size))
    except (PolicyFault, OSError) as error:
        found.append((str(error), 0, 0, 0))
    return tuple(found)


def _validate(path: Path) -> None:
    """Raise PolicyFault with the line of the first fault of the file."""
    try:
        with path.open(encoding="utf-8") as file:
            root = yaml.compose(file, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise PolicyFault(f"{path}{_line(mark)}: {error.problem or 'not YAML'}") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise PolicyFault(f"{path}: {errors.first_line(error)}") from None
    except OSError as error:
        raise PolicyFault(f"{path}: {error.strerror}") from None
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        raise PolicyFault(f'{path}{_line(root.start_mark)}: give rules as "NAME": "RULE"')
    for name, value in root.value:
        reason = _fault_of(name, value)
        if reason:
            raise PolicyFault(f"{path}{_line(name.start_mark)}: {reason}")


def _fault_of(name: yaml.Node, value: yaml.Node) -> str | None:
    """Return what is wrong with a rule, or None."""
    if not isinstance(name, yaml.ScalarNode):
        return "the name of a rule is a text"
    if isinstance(value, yaml.SequenceNode):
        return None  # the old form of rules
    if not isinstance(value, yaml.ScalarNode) or value.tag != "tag:yaml.org,2002:str":
        return f"rule {name.value}: give the rule as a text in quotes"
    text = value.value
    with _quiet(PARSER):
        check = policy.RuleDefault(name.value, text).check
    # A part that cannot be parsed denies.
    if str(check).count(DENY) > text.count(DENY):
        return f"rule {name.value}: {text!r} cannot be parsed"
    return None


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Drop the records of a logger inside the block."""

    def drop(_record: logging.LogRecord) -> bool:
        return False

    logger.addFilter(drop)
    try:
        yield
    finally:
        logger.removeFilter(drop)


def _line(mark: yaml.Mark | None) -> str:
    return "" if mark is None else f" line {mark.line + 1}"
