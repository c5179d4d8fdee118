"""What a nameserver's answers prove about a zone, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass

from designate.model.zones import Action, ZoneAnnouncement, ZoneType
from designate.wire.client import SoaAnswer, SoaState
from designate.wire.comparison import Comparison
from designate.wire.names import serial_ge, serial_gt

MISSING = "missing"
FAILING = "failing"
BEHIND = "behind"
AHEAD = "ahead"
OTHER_DATA = "other data"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataProof:
    """The comparison of a nameserver's data with the sample of a revision; text: for people."""

    revision: int
    result: Comparison
    text: str = ""

    @property
    def is_final(self) -> bool:
        """Whether it need not be repeated while the nameserver's SOA stays."""
        return self.result in (Comparison.EQUAL, Comparison.UNDECIDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingRules:
    """How the answers of a nameserver are judged.

    Attributes:
        signs: it signs the zone, so its serial is its own.
        rewrites: it may change the records that it serves, so only its serial counts.
    """

    signs: bool = False
    rewrites: bool = False


USUAL = JudgingRules()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a nameserver's answer; kind: one of the constants above; text: for people."""

    kind: str
    text: str


def is_ahead(
    change: ZoneAnnouncement, answer: SoaAnswer | None, rules: JudgingRules = USUAL
) -> bool:
    """Return whether a nameserver has a serial that is not the change's or an earlier one's.

    A newer one is a later change's, or this service never assigned it. The same one of a catalog zone, with
    another SOA, is another catalog's: the nameserver would not transfer this one.
    """
    if answer is None or rules.signs or answer.state is not SoaState.SERIAL:
        return False
    if serial_gt(answer.serial, change.serial):
        return True
    return change.type is ZoneType.CATALOG and has_other_soa(change, answer, rules)


def find_fault(
    change: ZoneAnnouncement,
    answer: SoaAnswer,
    rules: JudgingRules = USUAL,
    data: DataProof | None = None,
) -> Fault | None:
    """Return the fault of an answer for a zone that the nameserver should serve.

    Args:
        change: the zone's state.
        answer: the nameserver's answer.
        rules: how it is judged.
        data: the comparison with the change's sample; None: not compared.

    Returns:
        None if the answer is in order or proves nothing.
    """
    if answer.state is SoaState.ABSENT:
        # A server may refuse queries for a catalog zone, which lists the zones of all projects.
        return None if change.type is ZoneType.CATALOG else Fault(MISSING, f"missing: {answer}")
    if answer.state is SoaState.FAILED:
        return Fault(FAILING, f"failing: {answer}")
    if answer.state is not SoaState.SERIAL:
        return None
    if is_ahead(change, answer, rules):
        text = f"serial {answer.serial} is ahead of the zone's {change.serial}"
        if answer.serial == change.serial:
            text = f"serial {answer.serial} is that of another catalog zone of this name"
        return Fault(AHEAD, text)
    if answer.serial != change.serial and not rules.signs:
        return Fault(BEHIND, f"behind: {answer}")
    difference = ""
    if has_other_soa(change, answer, rules):
        difference = "its SOA is not the zone's"
    elif data is not None and data.result is Comparison.OTHER:
        difference = data.text
    own = " of its own" if rules.signs and answer.serial != change.serial else ""
    return Fault(OTHER_DATA, f"{answer}{own}, other data: {difference}") if difference else None


def has_other_soa(change: ZoneAnnouncement, answer: SoaAnswer, rules: JudgingRules) -> bool:
    """Return whether the SOA differs from the zone's in more than its serial.

    Each revision of a catalog zone has an SOA of its own, of which only the change's is known.
    """
    if rules.rewrites or not (change.soa and answer.digest):
        return False
    if change.type is ZoneType.CATALOG and answer.serial != change.serial:
        return False
    return answer.digest != change.soa


def is_of_others(
    change: ZoneAnnouncement,
    answer: SoaAnswer | None,
    rules: JudgingRules,
    *,
    emptied: bool = False,
) -> bool:
    """Return whether an answer is about a zone of others, so that it is no presence of a deleted one.

    Its SOA is not the zone's, or cannot tell and the back end's account has no such zone (`emptied`). And
    it is no older version of the zone either: there was none, or the serial was never assigned.
    """
    if answer is None or answer.state is not SoaState.SERIAL:
        return False
    is_older = change.created and not is_ahead(change, answer, rules)
    return (emptied or has_other_soa(change, answer, rules)) and not is_older


def needs_data(change: ZoneAnnouncement, answer: SoaAnswer, rules: JudgingRules) -> bool:
    """Return whether the answer proves the change only together with its sample."""
    return (
        change.sample is not None
        and change.action is not Action.DELETE
        and change.type is not ZoneType.CATALOG
        and not rules.rewrites
        and answer.state is SoaState.SERIAL
        and (rules.signs or answer.serial == change.serial)
        and not has_other_soa(change, answer, rules)
    )


def proven_serial(
    change: ZoneAnnouncement,
    serial: int,
    answer: SoaAnswer | None,
    rules: JudgingRules,
    data: DataProof | None,
) -> int | None:
    """Return the serial that proves that a nameserver has a step of the zone; None without proof.

    A step before the change is proven by its serial alone.

    Args:
        change: the newest change.
        serial: that of the step.
        answer: the nameserver's last answer.
        rules: how it is judged.
        data: the comparison with the change's sample, if it was made.
    """
    if answer is None or answer.state is not SoaState.SERIAL:
        return None
    fault = find_fault(change, answer, rules, data)
    if fault is not None and fault.kind == OTHER_DATA:
        return None
    if serial != change.serial:
        is_proven = not rules.signs and serial_ge(answer.serial, serial)
        return answer.serial if is_proven and not has_other_soa(change, answer, rules) else None
    if fault is not None:
        return answer.serial if fault.kind == AHEAD else None
    if needs_data(change, answer, rules) and (data is None or data.result is Comparison.AGAIN):
        return None
    return serial
