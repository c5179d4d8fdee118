"""The messages of a transfer in: the query, and the checks of each reply message.

The records of a message are checked by `wire.transfer_assembler`.
"""

from __future__ import annotations

import struct

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig

from designate.wire import tsig_keys
from designate.wire.transfer_assembler import TransferFailed

# RFC 8945 section 5.3.1: a primary signs at least each hundredth message.
MAX_UNSIGNED = 99
_MALFORMED = (
    dns.exception.DNSException,
    ValueError,
    IndexError,
    OverflowError,
    RecursionError,
    struct.error,
)


class TransferMessages:
    """Parses and checks the messages of one transfer, in order.

    Attributes:
        query_wire: the query to send.
    """

    def __init__(
        self, zone: dns.name.Name, since: int | None, key: tsig_keys.SigningKey | None
    ) -> None:
        """Make the query: IXFR from the serial `since`, AXFR if that is None; signed by the key."""
        self._query = _make_query(zone, since, key)
        self.query_wire = self._query.to_wire()
        self._signing: dns.tsig.HMACTSig | None = None
        self._unsigned = 0
        self._message_count = 0

    def parse(self, wire: bytes) -> dns.message.Message:
        """Parse a message and check all but its records; raises TransferFailed."""
        if wire[:2] != self.query_wire[:2]:
            raise TransferFailed("its answer belongs to another question")
        try:
            message = dns.message.from_wire(
                wire,
                keyring=self._query.keyring,
                request_mac=self._query.mac,
                xfr=True,
                tsig_ctx=self._signing,
                multi=True,
                one_rr_per_rrset=True,
            )
        except dns.tsig.PeerError as error:
            raise TransferFailed(f"it refuses the TSIG key: {type(error).__name__}") from None
        except (dns.tsig.BadSignature, dns.tsig.BadTime, dns.message.UnknownTSIGKey) as error:
            raise TransferFailed(f"its signature is wrong: {type(error).__name__}") from None
        except _MALFORMED:
            raise TransferFailed("it sent a malformed message") from None
        self._check_signature(message)
        if message.rcode() != dns.rcode.NOERROR:
            raise TransferFailed(f"it answered {dns.rcode.to_text(message.rcode())}")
        if message.opcode() != dns.opcode.QUERY or not message.flags & dns.flags.QR:
            raise TransferFailed("it sent something else than an answer")
        if message.flags & dns.flags.TC:
            raise TransferFailed("its answer is truncated")
        self._check_question(message)
        if not message.answer:
            raise TransferFailed("it sent a message without records")
        self._message_count += 1
        return message

    def _check_signature(self, message: dns.message.Message) -> None:
        if not self._query.keyring:
            return
        self._signing = message.tsig_ctx
        self._unsigned = 0 if message.had_tsig else self._unsigned + 1
        if self._unsigned > (MAX_UNSIGNED if self._message_count else 0):
            raise TransferFailed("its answer is not signed")

    def _check_question(self, message: dns.message.Message) -> None:
        """Check the question, which only the first message must have (RFC 5936 section 2.2.1)."""
        sent = self._query.question[0]
        if not message.question:
            if not self._message_count:
                raise TransferFailed("its answer has no question")
            return
        found = message.question[0]
        if len(message.question) > 1 or (found.name, found.rdtype) != (sent.name, sent.rdtype):
            raise TransferFailed("its answer belongs to another question")

    def check_end(self) -> None:
        """Check that the last message was signed, if the query was (RFC 8945 section 5.3.1)."""
        if self._query.keyring and self._unsigned:
            raise TransferFailed("its last message is not signed")


def _make_query(
    zone: dns.name.Name, since: int | None, key: tsig_keys.SigningKey | None
) -> dns.message.Message:
    rtype = dns.rdatatype.AXFR if since is None else dns.rdatatype.IXFR
    query = dns.message.make_query(zone, rtype, flags=0)
    if since is not None:
        text = f". . {since} 0 0 0 0"
        soa = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.SOA, text)
        query.authority.append(dns.rrset.from_rdata(zone, 0, soa))
    if key is not None:
        query.use_tsig(tsig_keys.for_dnspython(key))
    return query
