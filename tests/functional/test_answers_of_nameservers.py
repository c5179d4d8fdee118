"""What nameservers answer, change by change: the records come one at a time, after the zone is ACTIVE.

A zone's SOA and a transfer of it may be right while its answers are not, so that only queries show the
truth. Each line of SCENARIO is a change by the API, or a question with its answer after that change. After
each change every nameserver is also asked all former questions, and must answer them like MiniDNS.
"""

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest
import yaml

from tests.support.deadlines import until
from tests.support.servers import guide
from tests.support.servers.catalog_pool import Consumed
from tests.support.servers.nameservers import Named, free_port
from tests.support.servers.primaries import BindPrimary, zone_text
from tests.support.servers.secondaries import Knot, Nsd, Pdns
from tests.support.servers.standalone import Service, ask, common_pool

ZONE = "answers.example."
ALIASED = "aliased.example."
WITH_DNAME = "PowerDNS with dnssec and dname-processing"
SCENARIO = """
? www A                 NXDOMAIN
+ www A                 192.0.2.1
? www A                 A 192.0.2.1
? www AAAA              NODATA
+ www AAAA              2001:db8::1
? www AAAA              AAAA 2001:db8::1
= www A                 192.0.2.2 192.0.2.3
? www A                 A 192.0.2.2, A 192.0.2.3
- www A
? www A                 NODATA
- www AAAA
? www A                 NXDOMAIN
? www AAAA              NXDOMAIN

# Empty non-terminals come and go with what is below them.
+ a.b.ent A             192.0.2.1
? a.b.ent A             A 192.0.2.1
? b.ent A               NODATA
? ent A                 NODATA
? x.ent A               NXDOMAIN
+ c.ent A               192.0.2.2
- a.b.ent A
? a.b.ent A             NXDOMAIN
? b.ent A               NXDOMAIN
? ent A                 NODATA
- c.ent A
? ent A                 NXDOMAIN

# A wildcard, and what ends its reach: names, empty non-terminals, other types.
+ *.w A                 192.0.2.10
? x.w A                 A 192.0.2.10
? y.x.w A               A 192.0.2.10
? x.w AAAA              NODATA
? w A                   NODATA
+ deep.ent.w A          192.0.2.11
? deep.ent.w A          A 192.0.2.11
? ent.w A               NODATA
? x.ent.w A             NXDOMAIN
? y.deep.ent.w A        NXDOMAIN
+ txt.w TXT             "t"
? txt.w A               NODATA
? txt.w TXT             TXT "t"
+ *.ent.w TXT           "deeper"
? x.ent.w TXT           TXT "deeper"
? x.ent.w A             NODATA
# Deletions below a wildcard let it reach again.
- txt.w TXT
? txt.w A               A 192.0.2.10
? txt.w TXT             NODATA
- *.ent.w TXT
- deep.ent.w A
? deep.ent.w A          A 192.0.2.10
? ent.w A               A 192.0.2.10
? x.ent.w A             A 192.0.2.10
= *.w A                 192.0.2.12
? x.w A                 A 192.0.2.12
- *.w A
? x.w A                 NXDOMAIN
? w A                   NXDOMAIN

# Delegations, with glue and with names that were there before.
+ host.sub A            192.0.2.20
? host.sub A            A 192.0.2.20
+ sub NS                ns.sub.answers.example. ns.elsewhere.example.
? sub A                 referral sub
? host.sub A            referral sub
? x.sub MX              referral sub
? sub DS                NODATA
+ ns.sub A              192.0.2.21
? ns.sub A              referral sub
- ns.sub A
- sub NS
? host.sub A            A 192.0.2.20
? sub A                 NODATA
? x.sub MX              NXDOMAIN
- host.sub A
? sub A                 NXDOMAIN
+ *.wild A              192.0.2.22
+ cut.wild NS           ns.elsewhere.example.
? cut.wild A            referral cut.wild
? x.cut.wild A          referral cut.wild
? other.wild A          A 192.0.2.22
- cut.wild NS
? cut.wild A            A 192.0.2.22
? x.cut.wild A          A 192.0.2.22

# Aliases: to a name, to nothing, out of the zone, by a wildcard, and back to data.
+ alias CNAME           target.answers.example.
? alias A               NXDOMAIN, CNAME target
+ target A              192.0.2.30
? alias A               CNAME target, target A 192.0.2.30
? alias CNAME           CNAME target
? alias AAAA            CNAME target
+ chain CNAME           alias.answers.example.
? chain A               CNAME alias, alias CNAME target, target A 192.0.2.30
+ out CNAME             www.elsewhere.example.
? out A                 CNAME www.elsewhere.example.
+ *.any CNAME           target.answers.example.
? x.any A               CNAME target, target A 192.0.2.30
- alias CNAME
? alias A               NXDOMAIN
? chain A               NXDOMAIN, CNAME alias
+ alias A               192.0.2.31
? alias A               A 192.0.2.31
? chain A               CNAME alias, alias A 192.0.2.31
"""


# Of a secondary zone, since the API takes no DNAME: the lines that its primary has, and answers.
ALIASED_TREES = (
    (
        """d DNAME elsewhere.example.
e DNAME inside
www.inside A 192.0.2.1
*.wild A 192.0.2.2""",
        """? d A                  NODATA
? d DNAME               DNAME elsewhere.example.
? x.d A                 d DNAME elsewhere.example., CNAME x.elsewhere.example.
? www.e A               e DNAME inside, CNAME www.inside, www.inside A 192.0.2.1
? no.e A                NXDOMAIN, e DNAME inside, CNAME no.inside
? x.wild A              A 192.0.2.2""",
    ),
    (
        """x.d A 192.0.2.3
www.inside A 192.0.2.1
wild DNAME inside""",
        """? d A                  NODATA
? d DNAME               NODATA
? x.d A                 A 192.0.2.3
? www.e A               NXDOMAIN
? www.wild A            wild DNAME inside, CNAME www.inside, www.inside A 192.0.2.1""",
    ),
)


def redirecting():
    """Return the nameservers that doc/nameservers.md says redirect names below a DNAME."""
    rows = [
        line.split("|")[1:-1] for line in guide.read("nameservers.md").splitlines() if "|" in line
    ]
    cells = [[cell.strip() for cell in row] for row in rows]
    products = next(row for row in cells if row[-1] == "MiniDNS")
    dname = next(row for row in cells if row[0].startswith("names below a DNAME"))
    return {product for product, cell in zip(products, dname, strict=True) if cell == "yes"}


def relative(name, zone):
    text = name.to_text().lower()
    return text.removesuffix("." + zone) if text != zone else "@"


def shown(message, zone):
    """Return an answer as the scenarios write it."""
    (question,) = message.question
    parts = []
    if message.rcode() != dns.rcode.NOERROR:
        parts.append(dns.rcode.to_text(message.rcode()))
    for rrset in message.answer:
        owner = "" if rrset.name == question.name else relative(rrset.name, zone) + " "
        for rdata in rrset:
            data = relative(rdata.target, zone) if hasattr(rdata, "target") else rdata.to_text()
            parts.append(f"{owner}{dns.rdatatype.to_text(rrset.rdtype)} {data}")
    cuts = [rrset.name for rrset in message.authority if rrset.rdtype == dns.rdatatype.NS]
    if not message.answer and cuts:
        parts.append(f"referral {relative(cuts[0], zone)}")
    elif not message.flags & dns.flags.AA:
        parts.append("not authoritative")
    return ", ".join(sorted(parts)) or "NODATA"


def answered(address, zone, question):
    name, rtype = question
    return shown(ask(address, f"{name}.{zone}", rtype), zone)


def parsed(line):
    """Return the question and the answer of a line."""
    name, rtype, answer = line[2:].split(None, 2)
    return (name, rtype), ", ".join(sorted(answer.split(", ")))


class Side:
    """A service and the nameservers of its pool, by name."""

    def __init__(self, service, servers):
        self.service = service
        own = {name: ("127.0.0.1", server.port) for name, server in servers.items()}
        self.addresses = {"MiniDNS": service.dns, **own}


@pytest.fixture(scope="module")
def driven(tmp_path_factory):
    """Nameservers that are driven by control channels and APIs."""
    folder, port = tmp_path_factory.mktemp("driven"), free_port()
    with (
        Named(folder / "bind") as bind,
        Nsd(folder / "nsd", port) as nsd,
        Pdns(folder / "pdns", dnssec=False) as pdns,
        DnamePdns(folder / "dname", dnssec=True) as signing,
    ):
        servers = {
            "BIND": bind,
            "NSD": nsd,
            "PowerDNS": pdns,
            WITH_DNAME: signing,
        }
        file = folder / "pools.yaml"
        file.write_text(yaml.safe_dump(common_pool(servers.values(), port)))
        listen = {"service:mdns": {"listen": [f"127.0.0.1:{port}"]}}
        with Service(folder, pools_file=file, **listen) as service:
            yield Side(service, servers)


class DnamePdns(Pdns):
    def prepare(self):
        super().prepare()
        with (self.folder / "pdns.conf").open("a") as conf:
            conf.write("dname-processing=yes\n")


@pytest.fixture(scope="module")
def following(tmp_path_factory):
    """Knot, which follows a catalog zone."""
    with Consumed(tmp_path_factory.mktemp("following"), Knot) as consumed:
        yield Side(consumed.service, {"Knot": consumed.server})


@pytest.fixture(params=["driven", "following"])
def side(request):
    return request.getfixturevalue(request.param)


class Scenario:
    """The zone that the scenario changes, and what was asked so far."""

    def __init__(self, side):
        self.side, self.service = side, side.service
        self.zone = self.service.active(f"/zones/{self.service.zone(ZONE)['id']}", 30)
        self.asked = {}
        self.recordsets = {}
        self.wrong = []

    def play(self, text):
        lines = [line for line in text.splitlines() if line and not line.startswith("#")]
        change, expected = "", {}
        for line in [*lines, "end"]:
            if line.startswith("?"):
                question, expected[question] = parsed(line)
                continue
            self.ask_all(change, expected)
            change, expected = line, {}
            if line != "end":
                self.change(*line.split(None, 3))

    def change(self, kind, name, rtype, data=""):
        path = f"/zones/{self.zone['id']}/recordsets"
        records = [data] if rtype == "TXT" else data.split()
        if kind == "+":
            made = self.service.recordset(self.zone, f"{name}.{ZONE}", rtype, records)
            self.recordsets[name, rtype] = f"{path}/{made['id']}"
        elif kind == "=":
            body = {"records": records}
            assert self.service.call("PUT", self.recordsets[name, rtype], body)[0] == 202
        else:
            assert self.service.call("DELETE", self.recordsets.pop((name, rtype)))[0] == 202
        self.service.active(f"/zones/{self.zone['id']}", 30)

    def ask_all(self, change, expected):
        self.asked |= expected
        of_mdns = {one: answered(self.service.dns, ZONE, one) for one in self.asked}
        for server, address in self.side.addresses.items():
            for question in self.asked:
                right = expected.get(question, of_mdns[question])
                found = answered(address, ZONE, question)
                if found != right:
                    self.wrong.append((change, server, question, found, right))


def test_each_change_shows_in_all_answers(side):
    scenario = Scenario(side)
    scenario.play(SCENARIO)

    assert scenario.wrong == []


def test_names_below_a_dname_are_redirected_where_the_guide_says_so(side, tmp_path):
    service, wrong = side.service, []
    allowed = redirecting() | {WITH_DNAME}
    texts = [
        zone_text(
            ALIASED, serial, *(line.replace(" ", " 300 IN ", 1) for line in lines.splitlines())
        )
        for serial, (lines, _) in enumerate(ALIASED_TREES, 1)
    ]
    texts = [f"$ORIGIN {ALIASED}\n{text}" for text in texts]
    with BindPrimary(tmp_path, ALIASED, texts[0]) as primary:
        body = {"name": ALIASED, "type": "SECONDARY", "masters": [primary.master]}
        status, zone = service.call("POST", "/zones", body)
        assert status == 202, zone
        path = f"/zones/{zone['id']}"
        for serial, (text, (_, questions)) in enumerate(zip(texts, ALIASED_TREES, strict=True), 1):
            if serial > 1:
                primary.load(text)
                service.call("POST", f"{path}/tasks/xfr")
            until(
                lambda wanted=serial: service.active(path, 30)["serial"] == wanted, 30, "transfer"
            )
            for server, address in side.addresses.items():
                for question, right in map(parsed, questions.splitlines()):
                    if " DNAME " in right and server not in allowed:
                        right = "NXDOMAIN"
                    found = answered(address, ALIASED, question)
                    if found != right:
                        wrong.append((server, question, found, right))

    assert wrong == []
