"""Parts of record data, as Hypothesis strategies."""

import base64

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

LABEL = st.from_regex(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,8}[A-Za-z0-9_])?", fullmatch=True)
LONG_LABEL = st.from_regex(r"[a-z]{60,63}", fullmatch=True)
DOMAIN = st.lists(LABEL | LABEL | LABEL | LONG_LABEL, min_size=1, max_size=4).map(
    lambda labels: ".".join(labels) + "."
)
# Characters with a meaning for parsers of master files, names and SQL.
NASTY = st.sampled_from(list(' "\\;()\n\t\r\x00\x7f,.=@$*{}[]<>|!#%é\u2028\xa0\ud80009aZ-_+/:'))
PRINTABLE = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
UINT8 = st.integers(0, 255) | st.sampled_from([0, 1, 2, 255, 256])
UINT16 = st.integers(0, 65535) | st.sampled_from([0, 1, 65535, 65536])
DECIMAL = st.builds(
    lambda zeros, value: "0" * zeros + str(value), st.sampled_from([0, 0, 0, 1]), UINT16
)
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).flatmap(
    lambda address: st.sampled_from([str(address), address.exploded, str(address).upper()])
) | IPV4.map(lambda address: f"::ffff:{address}")
BASE64 = st.binary(min_size=0, max_size=80).map(lambda data: base64.b64encode(data).decode())


def hexadecimal(*sizes_bytes: int) -> SearchStrategy[str]:
    sizes = st.sampled_from(sizes_bytes)
    data = sizes.flatmap(lambda size: st.binary(min_size=size, max_size=size))
    return data.flatmap(lambda value: st.sampled_from([value.hex(), value.hex().upper()]))


def joined(*parts: SearchStrategy[object]) -> SearchStrategy[str]:
    return st.tuples(*parts).map(lambda values: " ".join(map(str, values)))


def maybe_quoted(text: SearchStrategy[str]) -> SearchStrategy[str]:
    return text | text.map(lambda value: f'"{value}"')


TEXT_ATOM = (
    PRINTABLE.filter(lambda char: char not in '"\\')
    | st.sampled_from([" ", "  ", "\t", ";", "(", ")", "é", "\u2028", "中", "\xa0"])
    | st.sampled_from(['\\"', "\\\\", "\\;", "\\ ", "\\000", "\\010", "\\255", "\\300", "\\é"])
)
TEXT = st.lists(TEXT_ATOM, max_size=30).map("".join)


def quoted_text() -> SearchStrategy[str]:
    """Texts in quotes."""
    return TEXT.map(lambda text: f'"{text}"')
