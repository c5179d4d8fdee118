"""Exported zone files: canonical texts that read back as the same data."""

from __future__ import annotations

import pytest

from designate import rrtypes
from tests.support.factories.zone_data import Hidden
from tests.support.factories.zone_files import exported, imported, recordsets


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    with Hidden(tmp_path_factory.mktemp("exports")) as hidden:
        yield hidden


@pytest.fixture(scope="module")
def call(hidden):
    return hidden.http()


TEXTS = [
    "", '""', '"a b"', "plain", '"', 'a"b', 'a\\"b', 'a\\\\"b', '"a\\"b"', '"back\\\\slash"', '"a\\\\"',
    ";", "(a)", '"(a;b)"', "v=DMARC1;p=none", "\\#", "@", "$ORIGIN", "$TTL", "é中😀", '"naïve café"',
    "\\065\\255\\000", '"\\010\\127\\128"', '" a "', '"a\tb"', "\\;", "\\a", "\\@",
    '"' + "a" * 253 + '" "b c" "' + "d" * 253 + '"',
    '"' + "é" * 127 + '" "' + '\\"' * 100 + '"',
    '"' + "\\255" * 60 + '" "' + "\\000" * 60 + '"',
]  # fmt: skip


def test_an_export_has_canonical_texts_whatever_the_client_wrote(call):
    _, zone = call("POST", "/v2/zones", {"name": "words.example.", "email": "a@example.org"})
    texts = {
        "CAA": {"0 issue letsencrypt.org": '0 issue "letsencrypt.org"'},
        "TXT": {"plain": '"plain"', '"quoted text"': '"quoted text"', "é": '"\\195\\169"'},
        "SPF": {f'"{"x" * 300}"': f'"{"x" * 255}" "{"x" * 45}"'},
        "MX": {"10 mail.example.org.": "10 mail.example.org."},
    }
    for rtype, records in texts.items():
        body = {"name": f"{rtype.lower()}.words.example.", "type": rtype, "records": [*records]}
        assert call("POST", f"/v2/zones/{zone['id']}/recordsets", body)[0] == 202

    lines = exported(call, zone["id"]).splitlines()

    for rtype, records in texts.items():
        for record in records.values():
            assert f"{rtype.lower()}.words.example.  IN {rtype} {record}" in lines


def test_texts_come_back_from_an_export_byte_for_byte(call):
    _, zone = call("POST", "/v2/zones", {"name": "from.example.", "email": "a@example.org"})
    sent = {}
    for number, text in enumerate(TEXTS):
        body = {"name": f"t{number}.from.example.", "type": "TXT", "records": [text]}
        status, created = call("POST", f"/v2/zones/{zone['id']}/recordsets", body)
        assert status == 202, (text, created)
        sent[f"t{number}.to.example."] = rrtypes.rdata("TXT", "x.", [text])
    written = exported(call, zone["id"])

    task = imported(call, written.replace("from.example.", "to.example."))

    assert task["status"] == "COMPLETE", task["message"]
    assert {
        name: rrtypes.rdata_from_zonefile(rtype, name, records)
        for (name, rtype), (_, records) in recordsets(call, task["zone_id"]).items()
        if rtype == "TXT"
    } == sent
