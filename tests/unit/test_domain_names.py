"""domain_names: the stored form of names, U-labels, and patterns of filters."""

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designate import domain_names, rrtypes
from designate.wire import names, packet, rrsets, zonefile
from tests.support.factories.name_strategies import LABELS, name_of, spellings

NAMES = st.lists(LABELS, min_size=1, max_size=4).map(tuple)


@given(st.data(), NAMES)
def test_every_spelling_of_a_name_has_the_stored_form_of_its_labels(data, labels):
    spelled = data.draw(spellings(labels))
    stored = domain_names.canonical(spelled)

    assert stored == domain_names.text(labels)
    assert dns.name.from_text(stored).labels[:-1] == labels
    assert domain_names.canonical(stored) == stored
    assert domain_names.octet_count(stored) == len(name_of(labels).to_wire()) - 1


@given(st.data(), NAMES)
def test_the_stored_form_is_accepted_as_a_name(data, labels):
    spelled = data.draw(spellings(labels))
    stored = domain_names.canonical(spelled)

    assert rrtypes.is_domain(spelled)
    assert rrtypes.is_domain(stored)
    assert rrtypes.is_host(f"*.{stored}")


@given(st.data(), NAMES, NAMES)
def test_containment_is_that_of_labels(data, one, other):
    name, zone = data.draw(spellings(one)), data.draw(spellings(other))
    below = name_of(one).is_subdomain(name_of(other))

    assert names.is_below(name, zone) is below
    assert names.is_below(domain_names.canonical(name), domain_names.canonical(zone)) is below
    if below:
        owner = names.relative_owner(name, zone)
        assert (
            owner
            == b"".join(bytes([len(label)]) + label for label in one[: len(one) - len(other)])
            + names.APEX_POINTER
        )
    else:
        with pytest.raises(ValueError, match="is not in"):
            names.relative_owner(name, zone)


@given(NAMES, NAMES)
def test_reversed_texts_below_a_name_are_one_range(one, other):
    """As zone_hierarchy and serving read them."""
    name, zone = (domain_names.text(labels).lower()[::-1] for labels in (one, other))
    in_range = zone + "." <= name < zone + "/"

    strictly_below = len(one) > len(other) and name_of(one).is_subdomain(name_of(other))
    assert in_range is strictly_below


@given(NAMES, NAMES)
def test_owners_of_transfers_have_the_stored_form(below, zone):
    apex = domain_names.text(zone)
    name = domain_names.text((*below, *zone))

    assert rrsets.OwnerNames(apex).name(names.relative_owner(name, apex)) == name


@given(st.data(), NAMES, NAMES)
def test_names_of_zone_files_have_the_stored_form(data, below, zone):
    owner, origin = (data.draw(spellings(labels)) for labels in (below, zone))
    text = f"$ORIGIN {origin}\n$TTL 60\n@ SOA ns. host. 1 2 3 4 5\n{owner.removesuffix('.')} A 192.0.2.1\n"
    found = zonefile.parse(text)

    assert found.origin == domain_names.text(zone)
    assert [rrset.name for rrset in found.rrsets] == [domain_names.text((*below, *zone))]


def test_u_labels_of_zone_files_become_a_labels():
    text = "$ORIGIN stra\u00dfe.example.\n$TTL 60\n@ SOA ns. host. 1 2 3 4 5\n_b.B\u00dc CNAME \u00fc.\n"
    found = zonefile.parse(text)

    assert found.origin == "xn--strae-oqa.example."
    assert [(rrset.name, rrset.texts) for rrset in found.rrsets] == [
        ("_b.xn--b-eha.xn--strae-oqa.example.", ("xn--tda.",))
    ]


def test_a_bad_u_label_of_a_zone_file_is_named_at_its_line():
    text = "$ORIGIN example.\n$TTL 60\n@ SOA ns. host. 1 2 3 4 5\n\u2603 A 192.0.2.1\n"

    with pytest.raises(zonefile.InvalidZonefile, match="line 4: the label '\u2603' is not a valid"):
        zonefile.parse(text)


@given(NAMES)
def test_a_query_asks_for_the_key_of_the_stored_name(labels):
    keys = packet.keys_of(name_of(labels))

    assert keys[0] == names.key(domain_names.text(labels))
    assert keys == tuple(names.suffixes(keys[0]))


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        ("www.Example.com.", "www.Example.com."),
        ("foo\\.example.com.", "foo\\046example.com."),
        ("\\097\\098c.example.", "abc.example."),
        ("\\042.example.", "*.example."),
        ("0/25.2.0.192.in-addr.arpa.", "0/25.2.0.192.in-addr.arpa."),
        ("My\\ Printer\\.v2._ipp._tcp.a.", "My\\032Printer\\046v2._ipp._tcp.a."),
        ("_sip.b\u00fccher.example.", "_sip.xn--bcher-kva.example."),
        ("*.B\u00dcCHER.example.", "*.xn--bcher-kva.example."),
        ("fa\u00df.de.", "xn--fa-hia.de."),
        ("a\\.b.b\u00fccher\u3002example\uff0e", "a\\046b.xn--bcher-kva.example."),
        ("\uff41bc.de.", "abc.de."),
        ("xn--bcher-kva.B.", "xn--bcher-kva.B."),
        ("xn--not-punycode-\\049.", "xn--not-punycode-1."),
    ],
)
def test_stored_forms(given_text, stored):
    assert domain_names.canonical(given_text) == stored


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a+b.c.", "'\\+' must be written \\\\043"),
        ("a b.", "' ' must be written \\\\032"),
        ("a\\", "three digits up to 255 or by one other character"),
        ("a\\25.", "three digits up to 255"),
        ("a\\256.", "three digits up to 255"),
        ("ok._b\u00fc.a.", "the label '_b\u00fc' is not a valid"),
        ("\u2603.a.", "the label '\u2603' is not a valid"),
        ("b\u00fc\\046c.a.", "has an escape beside"),
        ("a\\\u00fc.a.", "has an escape beside"),
        ("a\u2024b.", "Codepoint U\\+2024 not allowed"),
        ("\u00fc" * 64 + ".", "more than 63 characters"),
        ("\u00fc" + "a" * 60 + ".", "is not a valid internationalized label"),
        ("\ud800.", "the label '\\\\ud800' is not a valid"),
    ],
)
def test_what_has_no_stored_form_is_refused_with_the_reason(name, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        domain_names.canonical(name)

    assert str(caught.value).encode()


@pytest.mark.parametrize(
    ("pattern", "searched"),
    [
        ("*.Example.com.", "*.example.com."),
        ("%\\.b.*", "%\\046b.*"),
        ("\\065b*", "ab*"),
        ("*.b\u00fccher.*", "*.xn--bcher-kva.*"),
        ("a+b\\", "a\\043b\\092"),
        ("a_b%", "a_b%"),
        ("\\999", "\\999"),
    ],
)
def test_search_form_keeps_wildcards(pattern, searched):
    assert domain_names.search_form(pattern) == searched


def test_search_form_names_an_invalid_label():
    with pytest.raises(ValueError, match="the label 'b\u00fc\\*' is not a valid"):
        domain_names.search_form("b\u00fc*.example.")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("www.xn--bcher-kva.example.", "www.b\u00fccher.example."),
        ("XN--BCHER-KVA.example.", "b\u00fccher.example."),
        ("xn--bad\u00fc-.xn--a.", "xn--bad\u00fc-.xn--a."),
        ("www.example.", "www.example."),
    ],
)
def test_to_u_labels_leaves_what_is_not_valid(name, shown):
    assert domain_names.to_u_labels(name) == shown
