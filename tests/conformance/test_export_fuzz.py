"""Exports of random zones: the checkers of three nameservers load each, and it reads back equal."""

from __future__ import annotations

import subprocess

import dns.name
import dns.rdatatype
import pytest

from designate import mailboxes
from designate.wire import names, zonefile, zonefile_writer
from designate.wire.names import APEX_POINTER
from designate.wire.rr import pack
from tests.support.deadlines import scaled
from tests.support.factories import fuzzed_zones
from tests.support.servers import programs

SHORT = 40
LONG = 5000
TYPE_NS = 2
TYPE_RRSIG = 46
# Without rules about what is sensible: whether names exist, and which characters hosts may have.
LOOSE = ("-i", "none", "-k", "ignore", "-n", "ignore", "-m", "ignore", "-r", "ignore")
CHECKERS = {
    "BIND": lambda zone, file: ("named-checkzone", *LOOSE, "--", zone, str(file)),
    "Knot": lambda zone, file: ("kzonecheck", "--dnssec", "off", "--origin", zone, str(file)),
    "NSD": lambda zone, file: ("nsd-checkzone", "--", zone, str(file)),
}


@pytest.fixture
def seeds(request):
    count = LONG if request.config.getoption("--long") else SHORT
    return [f"{request.config.getoption('--seed')}-{number}" for number in range(count)]


def written(zone):
    return "".join(zonefile_writer.render(zone.name, zone.ttl, zone.soa, zone.recordsets))


def refusals(zone, text, folder):
    """Return what the checkers that refuse a file say, by server."""
    file = folder / "zone"
    file.write_text(text, encoding="ascii")
    found = {}
    for server, command in CHECKERS.items():
        # Not decoded, as some repeat the file's octets.
        program, *words = command(zone, file)
        done = subprocess.run(
            programs.command(program, *words), capture_output=True, timeout=scaled(30)
        )
        if done.returncode:
            found[server] = (done.stdout + done.stderr)[-500:]
    return found


def dump_of_bind(zone, text, folder):
    """Return a zone's file as BIND writes it."""
    file, dumped = folder / "zone", folder / "dumped"
    file.write_text(text, encoding="ascii")
    words = (*LOOSE, "-s", "relative", "-o", str(dumped), "--", zone.name, str(file))
    programs.run("named-compilezone", *words, timeout=scaled(30), check=True)
    return dumped.read_text(encoding="ascii")


def content(file):
    """Return (owner, type, TTL, data) of a file's records; signatures have the TTLs of what they cover."""
    return {
        (names.to_wire(rrset.name), number(rrset.type), rrset.ttl, rdata)
        for rrset in file.rrsets
        for rdata in rrset.rdatas
        if number(rrset.type) != TYPE_RRSIG
    }


def number(rtype):
    return int(dns.rdatatype.from_text(rtype))


@pytest.mark.timeout(1800)
def test_nameservers_load_every_export_and_it_reads_back_equal(seeds, tmp_path):
    for seed in seeds:
        zone = fuzzed_zones.make(seed)
        text = written(zone)
        file = zonefile.parse(text)
        apex = names.to_wire(zone.name)
        expected = {
            record
            for record in zone.records
            if record[1] != TYPE_RRSIG and record[:2] != (apex, TYPE_NS)
        }
        rname = dns.name.from_wire(zone.soa, len(b"\2ns\0"))[0]

        assert text.isascii(), seed
        assert text.count("\n") == 4 + len(zone.records), seed
        assert content(file) == expected, seed
        assert mailboxes.labels(file.email) == rname.labels[:-1], seed
        assert (file.origin, file.ttl, file.skipped_count) == (zone.name, zone.ttl, 0), seed
        assert refusals(zone.name, text, tmp_path) == {}, seed


@pytest.mark.parametrize("rtype", [3, 4])
def test_bind_loads_no_file_with_md_or_mf_in_any_form(rtype, tmp_path):
    """It is why the random zones have neither; other nameservers load them."""
    zone = fuzzed_zones.FuzzedZone("zone.example.", 60, b"\0\0" + bytes(20))
    mail = b"\4mail\7example\0"
    for rdatas, code in (([b"\2ns\7example\0"], TYPE_NS), ([mail], rtype)):
        wire = pack(APEX_POINTER, code, 0, rdatas)
        zone.recordsets.append(zonefile_writer.WrittenRecordSet(zone.name, "", None, 1, wire))
    generic = written(zone)
    line = generic.splitlines()[-1]
    by_name = generic.replace(
        line, f"zone.example. IN {'MD' if rtype == 3 else 'MF'} mail.example."
    )

    assert list(refusals(zone.name, generic, tmp_path)) == ["BIND"]
    assert b"obsolete" in refusals(zone.name, generic, tmp_path)["BIND"]
    assert "BIND" in refusals(zone.name, by_name, tmp_path)


def test_files_that_bind_writes_are_read_as_the_same_zones(seeds, tmp_path):
    for seed in seeds[: len(seeds) // 4]:
        zone = fuzzed_zones.make(seed)
        text = written(zone)
        file = zonefile.parse(dump_of_bind(zone, text, tmp_path))

        assert file.origin == zone.name, seed
        assert content(file) == content(zonefile.parse(text)), seed
