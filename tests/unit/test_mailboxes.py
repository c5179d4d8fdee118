"""Mailboxes of the SOA as names and as addresses."""

from __future__ import annotations

import json

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from designate import mailboxes

LABELS = st.lists(st.binary(min_size=1, max_size=63), max_size=4).filter(
    lambda labels: sum(map(len, labels)) + len(labels) < 255
)
CASES = {
    "hostmaster.example.com.": "hostmaster@example.com",
    r"host\.master.example.com.": "host.master@example.com",
    ".": "",
    "hostmaster.": "hostmaster@",
    r"a\@b.example.com.": r"a\064b@example.com",
    r"a\032b.example.com.": r"a\032b@example.com",
    r"a\010$INCLUDE.example.com.": r"a\010$INCLUDE@example.com",
    r"\233.example.com.": r"\233@example.com",
    r"a\\b.example.com.": r"a\092b@example.com",
    r"a.b\.c.example.com.": r"a@b\.c.example.com",
    r"a.b\@c.example.com.": r"a@b\@c.example.com",
    "o'brien+dns.example.com.": "o'brien+dns@example.com",
}


@pytest.mark.parametrize("name", CASES)
def test_a_name_and_its_address_lead_to_each_other(name):
    labels = dns.name.from_text(name).labels
    address = mailboxes.email(labels)

    assert address == CASES[name]
    assert mailboxes.labels(address) == labels[:-1]
    assert dns.name.from_text(mailboxes.rname(address)).labels == labels


@given(LABELS)
def test_every_name_has_one_address_of_printable_characters(labels):
    address = mailboxes.email(labels)

    assert mailboxes.labels(address) == tuple(labels)
    assert dns.name.from_text(mailboxes.rname(address)).labels == (*labels, b"")
    assert all(" " < character < "\x7f" for character in address)
    assert json.loads(json.dumps(address)) == address


@given(LABELS)
def test_the_name_is_written_as_dnspython_writes_it(labels):
    name = dns.name.Name([*labels, b""])

    assert mailboxes.rname(mailboxes.email(labels)) == name.to_text().replace(r"\ ", r"\032")


@pytest.mark.parametrize("address", ["é@example.com", "a@exämple.com", "a\\999@example.com"])
def test_an_address_that_is_no_name_is_refused(address):
    with pytest.raises(ValueError):
        mailboxes.labels(address)
