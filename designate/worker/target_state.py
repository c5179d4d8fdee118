"""What a worker knows about a target while a zone's nameservers converge."""

from __future__ import annotations

from dataclasses import dataclass

from designate.worker.pools import LiveTarget


@dataclass(slots=True)
class TargetState:
    """What is known about one target.

    Attributes:
        live: the target.
        done: the back end call that the zone needs has succeeded.
        attempts: failed calls, for the growing delay.
        error: of the last call.
        refused: the server refused the last call, so waiting alone will not help.
        foreign: the last call found a zone of others under the name. It proves nothing, and for a
            deletion it is no presence of the zone.
        emptied: its account has no zone of the name after a deletion, though its nameservers may serve
            another account's.
        notifying: a NOTIFY is queued or being sent.
        renotify: another NOTIFY is due after it.
        notify_text: the server's reply to the last NOTIFY.
        accepted_serial: the newest serial whose NOTIFY the server accepted.
    """

    live: LiveTarget
    done: bool = False
    attempts: int = 0
    error: str = ""
    refused: bool = False
    foreign: bool = False
    emptied: bool = False
    notifying: bool = False
    renotify: bool = False
    notify_text: str = ""
    accepted_serial: int | None = None
