"""Samples: the RRset of a revision by which its nameservers are compared with the zone's content."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from designate import rrtypes
from designate.model.recordsets import RecordSet
from designate.model.zones import Sample, Zone
from designate.wire import digests, names, rr

# RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, CDS, CDNSKEY: their answers differ from other types' (RFC 4035
# section 3.1), or a server that signs has its own.
_DNSSEC_TYPES = frozenset({46, 47, 48, 50, 51, 59, 60})
# To choose one of many RRsets, only the first ones are compared.
MAX_COMPARED = 20


def of_rrset(name: str, rtype: int, served_wire: bytes) -> Sample:
    """Return the sample of a changed RRset.

    Args:
        name: Its owner.
        rtype: The number of its type.
        served_wire: Its RRs after the change, with the TTL that nameservers serve; empty if it is gone.
    """
    digest = digests.of_stored(served_wire) if served_wire else ""
    return Sample(name=name, rtype=rtype, digest=digest)


def of_recordset(recordset: RecordSet, served_wire: bytes = b"") -> Sample:
    """Return the sample of a changed recordset; served_wire: as above."""
    return of_rrset(recordset.name, rrtypes.numeric_type(recordset.type), served_wire)


def best(zone: Zone, samples: Iterable[Sample]) -> Sample | None:
    """Return the sample that proves most; None if none proves anything.

    Existing RRsets are better than deleted ones, and delegations the last choice.
    """
    candidates = [one for one in islice(samples, MAX_COMPARED) if one.rtype not in _DNSSEC_TYPES]
    return max(candidates, key=lambda one: _rank(zone, one), default=None)


def _rank(zone: Zone, sample: Sample) -> tuple[bool, bool]:
    is_apex = names.key(sample.name) == names.key(zone.name)
    return (sample.rtype != rr.TYPE_NS or is_apex), bool(sample.digest)
