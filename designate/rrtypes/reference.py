"""The record types in Markdown: `python -m designate.rrtypes.reference > doc/record-types.md`."""

from __future__ import annotations

from designate.wire import types
from designate.wire.types import Kind

HEAD = """\
# Record types

The types that recordsets may have, and the form of their records. This page is generated:
`python -m designate.rrtypes.reference > doc/record-types.md`.

`[DEFAULT] supported_record_type` lists the types that clients may use, by default all of these. A
type may also be written by its number: `TYPE1` is `A`, and is shown as `A`. `TYPEn` in the option
stands for all types without a name here, which are written as `TYPE65400` (RFC 3597); newer names of
such numbers are not used.

Records are shown as they were sent. Exports, comparisons and transferred zones have the canonical
text, which is accepted too. A recordset that came from a file or a transfer may be sent back as it
is.

## Forms

- Every type takes the form of its RFC, as in a master file: fields separated by white space, over
  several lines within brackets, without comments. Names end with a dot, escapes are `\\.` and
  `\\032`, and names with letters beyond ASCII are written as `xn--`.
- Every type takes its data as bytes: `\\# 4 c0000201` is the A record `192.0.2.1`.
- TXT, SPF, AVC and NINFO: strings in quotes, `"a b" "c"`, or one text without quotes, in which
  spaces, `;` and brackets are text. A string of more than 255 bytes is split. A backslash at the end
  is written in quotes, as two.
- CAA, HTTPS, SVCB and NAPTR: quotes around values without spaces may be left out. CERT: base64 with
  other characters in it. TLSA and SMIMEA: brackets and line ends anywhere.

What the wire permits and clients may not send: ALPN protocols outside IANA's list, `no-default-alpn`
without `alpn`, parameters in AliasMode, an `ech` that is no ECHConfigList, SVCB at a name with the
label `_dns` without `alpn` and `dohpath` (RFC 9461); hashes in TLSA and SMIMEA whose length is not
that of their type; CAA values outside the grammar of `issue`, `issuewild`, `issuemail` and `iodef`;
KEY records of zones; the root as target of CNAME, NS and PTR. TLSA needs a name such as `_443._tcp`
or `*._tcp`, or with a label `_dane`; SRV a name such as `_sip._tcp` or `*._tcp`; NS no wildcard.
CNAME and DS are not at a zone's own name, CNAME is alone at its name, CNAME and DNAME have one
record, and nothing is below a DNAME.

"""
LEGEND = {
    Kind.SIGNING: "## Types that can only be read\n\nSigning makes them; clients may not write them.\n",
    Kind.META: "## Types that zones do not have\n\nThey belong to queries and messages, as all numbers "
    "from 128 to 255 do.\n",
}


def reference() -> str:
    """Return the page."""
    lines = [HEAD + "## Types\n", "| Type | Number | Form | Reference |", "|---|---|---|---|"]
    lines += [
        f"| `{info.name}` | {info.number} | {_code(info.form)} | {info.reference} |"
        for info in types.TYPES
        if info.kind is Kind.DATA
    ]
    lines.append(f"| `TYPE`n | other | {_code(types.UNNAMED_FORM)} | RFC 3597 section 5 |")
    for kind, text in LEGEND.items():
        lines += ["", text, "| Type | Number | Reference |", "|---|---|---|"]
        lines += [
            f"| `{info.name}` | {info.number} | {info.reference} |"
            for info in types.TYPES
            if info.kind is kind
        ]
    return "\n".join(lines)


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


if __name__ == "__main__":
    print(reference())  # noqa: T201 - a program
