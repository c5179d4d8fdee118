"""Record types that locate services: SRV, NAPTR, SVCB and HTTPS."""

from __future__ import annotations

import base64
import re
from typing import Any

from designate import errors
from designate.rrtypes.base import FormError, RRType, register
from designate.rrtypes.grammar import is_number
from designate.rrtypes.mail import escape_quotes
from designate.rrtypes.naptr_regex import check_substitution
from designate.rrtypes.security import decode_base64

SERVICE_OWNER = re.compile(r"(?:\*|_[^.]*)\._[^.]*\..")
# RFC 3403 section 4.1.
FLAGS = re.compile(rb"[A-Za-z0-9]*")
KEY = re.compile(r"[a-z0-9-]{1,63}")
# IANA, TLS Application-Layer Protocol Negotiation (ALPN) Protocol IDs.
ALPN = frozenset(
    b"""
    http/0.9 http/1.0 http/1.1 spdy/1 spdy/2 spdy/3 stun.turn stun.nat-discovery h2 h2c webrtc c-webrtc ftp
    imap pop3 managesieve coap co xmpp-client xmpp-server acme-tls/1 mqtt dot ntske/1 sunrpc h3 smb irc nntp
    nnsp doq sip/2 tds/8.0 dicom postgresql radius/1.0 radius/1.1
    """.split()
)
MAX_PORT = 65535
_ALPN, _NO_DEFAULT_ALPN, _ECH, _DOHPATH = 1, 2, 5, 7
# Literals, percent-encoded bytes and expressions of RFC 6570 sections 2.1 to 2.4.
URI_TEMPLATE = re.compile(
    r"(?:[!#$&-;=?-\[\]_a-z~\xa0-\U0010ffff]|%[0-9A-Fa-f]{2}"
    r"|\{[+#./;?&]?VARIABLE(?:,VARIABLE)*\})*\Z".replace(
        "VARIABLE", r"NAME(?:\.?NAME)*(?::[1-9][0-9]{0,3}|\*)?"
    ).replace("NAME", "(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})")
)
DNS_VARIABLE = re.compile(r"\{[+#./;?&]?(?:[^{}]*,)?dns(?:[,:*][^{}]*)?\}")


@register
class Srv(RRType):
    """The server of a service."""

    type = "SRV"

    def check_owner(self, name: str) -> None:
        super().check_owner(name)
        if not SERVICE_OWNER.match(name):
            raise errors.InvalidObject(
                "name is invalid: it begins with service and protocol, such as _sip._tcp"
            )


@register
class Naptr(RRType):
    """A rule that rewrites names."""

    type = "NAPTR"

    def master_form(self, text: str) -> str:
        parts = text.split(" ")
        if len(parts) != 6 or parts != text.split():
            return text
        # Without spaces in them the strings need no quotes, and quotes in them no backslash.
        order, preference, flags, service, regexp, replacement = parts
        strings = (f'"{escape_quotes(_bare(part))}"' for part in (flags, service, regexp))
        return f"{order} {preference} {' '.join(strings)} {replacement}"

    def check_api(self, rdata: Any, owner: str) -> None:  # noqa: ARG002 - part of the interface
        if not FLAGS.fullmatch(rdata.flags):
            raise FormError("the flags are letters and digits")

    def check_rdata(self, rdata: Any) -> None:
        check_substitution(rdata.regexp)


def _bare(text: str) -> str:
    """Return the text without the quotes around it, which clients may omit."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


class _Binding(RRType):
    """A priority, a target, and parameters `key=value` (RFC 9460 section 2.1)."""

    def master_form(self, text: str) -> str:
        """Quote the values, and use the last of several parameters of one key."""
        if '"' in text or re.search(r"\s\(", text):
            return text
        words = text.split()
        if len(words) < 2:
            raise FormError(f"the form is: {self.info.form}")
        priority, target, *parameters = words
        values: dict[str, str] = {}
        for parameter in parameters:
            key, equals, value = parameter.partition("=")
            if not KEY.fullmatch(key):
                raise FormError(f"the form is: {self.info.form}")
            if not equals and not key.startswith("key") and key != "no-default-alpn":
                raise FormError(f"{key} needs a value: {key}=<value>")
            if key == "port" and not is_number(value, MAX_PORT):
                raise FormError(f"port is a number up to {MAX_PORT}")
            values[key] = value
        if "ech" in values:
            decoded = None if "\\" in values["ech"] else decode_base64(values["ech"])
            if decoded is None:
                raise FormError("ech is not base64")
            values["ech"] = base64.b64encode(decoded).decode()
        quoted = (f'{key}="{value}"' if value else key for key, value in values.items())
        return " ".join((priority, target, *quoted))

    def reason_for_bytes(self, wire: bytes) -> str:
        alias = wire[:2] == bytes(2)
        return "AliasMode, priority 0, has no parameters" if alias else "ech is no ECHConfigList"

    def check_api(self, rdata: Any, owner: str) -> None:  # noqa: ARG002 - part of the interface
        protocols = _protocols(rdata)
        unknown = sorted(protocols - ALPN)
        if unknown:
            shown = unknown[0].decode("ascii", "backslashreplace")
            raise FormError(f"'{shown}' is not in IANA's list of ALPN protocol IDs")
        if _NO_DEFAULT_ALPN in rdata.params and not protocols:
            raise FormError("no-default-alpn needs alpn")
        # dnspython's lowest release takes any bytes.
        ech = rdata.params.get(_ECH)
        if ech and int.from_bytes(ech.ech[:2]) != len(ech.ech) - 2:
            raise FormError("ech is no ECHConfigList")
        path = rdata.params.get(_DOHPATH)
        if _DOHPATH in rdata.params:
            _check_path(path.value.decode("utf-8", "replace") if path else "")


def _protocols(rdata: Any) -> set[bytes]:
    alpn = rdata.params.get(_ALPN)
    return set(alpn.ids) if alpn else set()


def _check_path(template: str) -> None:
    if not URI_TEMPLATE.match(template):
        raise ValueError("dohpath is not a URI template (RFC 6570)")
    if not template.startswith("/") or not DNS_VARIABLE.search(template):
        raise FormError("dohpath is a path with the variable dns, such as /dns-query{?dns}")


@register
class Https(_Binding):
    """The endpoint of an HTTPS service."""

    type = "HTTPS"


@register
class Svcb(_Binding):
    """The endpoint of a service."""

    type = "SVCB"

    def check_api(self, rdata: Any, owner: str) -> None:
        super().check_api(rdata, owner)
        if rdata.priority == 0 or "_dns" not in owner.lower().split("."):
            return
        protocols = _protocols(rdata)
        if not protocols:
            raise FormError("at a name with the label _dns it needs alpn (RFC 9461)")
        if protocols & {b"h2", b"h3"} and _DOHPATH not in rdata.params:
            raise FormError("at a name with the label _dns, h2 and h3 need dohpath (RFC 9461)")
