"""Calls of back ends, whose errors are returned and never raised."""

from __future__ import annotations

import logging

from designate import errors
from designate.model.zones import ZoneAnnouncement
from designate.worker.pools import LiveTarget

LOG = logging.getLogger(__name__)


def call_backend(
    target: LiveTarget, verb: str, change: ZoneAnnouncement
) -> errors.DesignateError | None:
    """Call the target's back end and return its error.

    Args:
        target: the target.
        verb: "create", "delete", "update", "reconcile" or "trigger_transfer".
        change: the zone.
    """
    backend = target.backend
    try:
        if verb == "delete":
            backend.delete_zone(change, hard_delete=change.hard_delete)
        elif verb == "create":
            backend.create_zone(change)
        elif verb == "reconcile":
            backend.reconcile(change)
        elif verb == "trigger_transfer":
            backend.trigger_transfer(change)
        else:
            backend.update_zone(change)
    except errors.DesignateError as error:
        return error
    except Exception as error:
        # Back ends are plug-ins: an unexpected exception must not end the zone's retries.
        LOG.exception("zone %s: %s failed", change.zone_id, target.label)
        return errors.BackendError(f"{verb} failed with {type(error).__name__}")
    return None


def has_no_zone(target: LiveTarget, change: ZoneAnnouncement) -> bool:
    """Return whether the account of a hosted product has no zone of the name, as far as is known.

    Its nameservers serve the zones of other accounts too.
    """
    backend = target.backend
    if not (backend.REWRITES_ANSWERS and backend.INSPECTS):
        return False
    try:
        return backend.inspect(change) is None
    except errors.DesignateError as error:
        LOG.debug("zone %s: %s: not inspected: %s", change.zone_id, target.label, error)
    except Exception:
        LOG.exception("zone %s: %s failed", change.zone_id, target.label)
    return False


def error_text(error: errors.DesignateError | None) -> str:
    """Return the error for people; empty without one."""
    return "" if error is None else error.message or error.type
