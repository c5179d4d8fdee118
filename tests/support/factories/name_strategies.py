"""Domain names with labels that look like several, in every spelling that clients may write."""

from __future__ import annotations

import dns.name
from hypothesis import strategies as st

PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
OCTETS = st.sampled_from([*b'abA_-/.\\*%+@" 0', 0, 127, 255])
LABELS = st.one_of(
    st.sampled_from([b"a", b"A", b"b", b"a.b", b"b.a", b"b\\", b"a\\.b", b"x-1", b"0/25"]),
    st.binary(min_size=1, max_size=4),
    st.lists(OCTETS, min_size=1, max_size=4).map(bytes),
).filter(lambda label: not (label[:1] in b"-/" or label[-1:] in b"-/" or b"*" in label))


@st.composite
def spellings(draw: st.DrawFn, labels: tuple[bytes, ...]) -> str:
    """Return a spelling of an absolute name, with an escape at any octet that may have one."""
    return "".join("".join(map(draw, map(_octets, label))) + "." for label in labels)


def _octets(octet: int) -> st.SearchStrategy[str]:
    number = f"\\{octet:03d}"
    if octet in PLAIN or octet in b"-/":
        return st.sampled_from([chr(octet), chr(octet), number])
    is_char = 32 <= octet < 127
    return st.sampled_from([number, f"\\{chr(octet)}" if is_char else number])


def name_of(labels: tuple[bytes, ...]) -> dns.name.Name:
    """Return the name that dnspython has for the labels."""
    return dns.name.Name((*labels, b""))
