"""Reads and writes while the database server stops, hangs or cannot be reached."""

from __future__ import annotations

import itertools
import threading
import time

import pytest
import sqlalchemy as sa

from designate import errors
from designate.context import admin_context
from designate.model.recordsets import RecordSetDraft
from designate.storage.sqlalchemy import zones as zone_rows
from designate.storage.sqlalchemy.db.engine import Database
from tests.support.deadlines import scaled, until
from tests.support.factories.zone_data import Hidden
from tests.support.fakes.tcp_proxy import TcpProxy
from tests.support.servers.databases import MariaDB, PostgreSQL

NUMBERS = itertools.count(1)
STATEMENT_S = 2
WRITE_S = 4
TABLE = sa.table("marks", sa.column("mark", sa.String))
OPTIONS = {"write_timeout_s": WRITE_S, "statement_timeout_s": STATEMENT_S, "connect_timeout_s": 2}


@pytest.fixture(scope="module", params=[MariaDB, PostgreSQL], ids=["mariadb", "postgresql"])
def server(request):
    """A server of this module alone, because it is stopped and paused."""
    with request.param() as running:
        yield running


@pytest.fixture(scope="module")
def url(server):
    return server.fresh()


@pytest.fixture(scope="module")
def hidden(url, tmp_path_factory):
    storage = {
        "connection": url,
        "write_timeout": WRITE_S,
        "statement_timeout": STATEMENT_S,
        "connect_timeout": 2,
    }
    folder = tmp_path_factory.mktemp("outages")
    central = {"recover_after": 0.1}
    with Hidden(folder, **{"storage:sqlalchemy": storage, "service:central": central}) as parts:
        yield parts


@pytest.fixture
def proxy(server):
    with TcpProxy(server.port) as between:
        yield between


@pytest.fixture
def database(server, proxy):
    """A new database with a table, reached through the proxy."""
    url = server.fresh()
    found = Database(
        url.replace(f":{server.port}/", f":{proxy.port}/"), pool_size=3, pool_overflow=0, **OPTIONS
    )
    found.write(lambda tx: tx.execute(sa.text("CREATE TABLE marks (mark VARCHAR(20) PRIMARY KEY)")))
    yield found
    found.close()


def marks(database):
    with database.read() as connection:
        return list(connection.execute(sa.select(TABLE.c.mark).order_by(TABLE.c.mark)).scalars())


def marking(mark, also=lambda _: None):
    """Return a write that counts its runs and calls also with their number between two statements."""
    runs = itertools.count(1)

    def write(tx):
        tx.execute(sa.insert(TABLE), {"mark": mark})
        number = next(runs)
        also(number)
        tx.execute(sa.select(TABLE.c.mark)).all()
        return number

    return write


def refused_within(seconds, work):
    """Return the Unavailable that the work raises in time."""
    before = time.monotonic()
    with pytest.raises(errors.Unavailable) as caught:
        work()
    assert time.monotonic() - before < scaled(seconds)
    assert caught.value.retry_after_s >= 1
    return caught.value


def test_connections_that_a_restart_left_behind_are_noticed_before_they_are_used(server, database):
    warm = [threading.Barrier(4), threading.Barrier(4)]

    def read():
        with database.read() as connection:
            connection.execute(sa.select(TABLE.c.mark)).all()
            warm[0].wait(scaled(10))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    warm[0].wait(scaled(10))
    for thread in threads:
        thread.join(scaled(10))
    database.write(marking("before"))
    server.stop()
    server.start()

    runs = database.write(marking("after"))

    assert runs == 1
    for _ in range(4):
        assert marks(database) == ["after", "before"]


def test_a_stopped_server_is_a_503_at_once_and_no_longer_than_it_is_stopped(server, hidden):
    call = hidden.http()
    zone = hidden.zone(f"stopped{next(NUMBERS)}.example.")
    body = {"name": f"a.{zone.name}", "type": "A", "records": ["192.0.2.1"]}
    server.stop()
    try:
        for method, path, sent in (
            ("GET", "/v2/zones", None),
            ("GET", f"/v2/zones/{zone.id}", None),
            ("POST", "/v2/zones", {"name": "more.example.", "email": "a@example.com"}),
            ("POST", f"/v2/zones/{zone.id}/recordsets", body),
            ("DELETE", f"/v2/zones/{zone.id}", None),
        ):
            before = time.monotonic()
            status, answer = call(method, path, sent)
            assert (status, answer["code"], answer["type"]) == (503, 503, "service_unavailable")
            assert time.monotonic() - before < scaled(STATEMENT_S)
    finally:
        server.start()

    assert call("POST", f"/v2/zones/{zone.id}/recordsets", body)[0] in (201, 202)
    assert call("GET", f"/v2/zones/{zone.id}")[0] == 200


def test_a_server_that_dies_within_a_transaction_stores_nothing_of_it(server, hidden):
    database = hidden.database
    zone = hidden.zone(f"dies{next(NUMBERS)}.example.")

    def write(tx):
        stored = zone_rows.lock(tx, zone.id)
        zone_rows.update(tx, zone.id, description="never")
        server.stop()
        zone_rows.update(tx, zone.id, ttl=1)
        return stored

    try:
        refused_within(WRITE_S, lambda: database.write(write, zone.id))
    finally:
        server.start()

    after = hidden.fresh(zone)
    assert (after.description, after.ttl, after.version) == (None, zone.ttl, zone.version)


def test_a_connection_that_breaks_within_a_transaction_is_replaced_and_it_is_run_again(
    database, proxy
):
    runs = database.write(
        marking("again", lambda number: proxy.break_connections() if number == 1 else None)
    )

    assert runs == 2
    assert marks(database) == ["again"]


def test_a_read_from_a_broken_connection_is_a_503_and_the_next_one_works(database, proxy):
    def read():
        with database.read() as connection:
            connection.execute(sa.select(TABLE.c.mark)).all()
            proxy.break_connections()
            connection.execute(sa.select(TABLE.c.mark)).all()

    refused_within(STATEMENT_S, read)

    assert marks(database) == []


def test_a_server_that_hangs_is_a_503_in_time_and_served_again_once_it_moves(server, hidden):
    call = hidden.http()
    zone = hidden.zone(f"hangs{next(NUMBERS)}.example.")
    body = {"name": f"a.{zone.name}", "type": "A", "records": ["192.0.2.1"]}
    server.pause()
    try:
        for method, path, sent in (
            ("GET", f"/v2/zones/{zone.id}", None),
            ("POST", f"/v2/zones/{zone.id}/recordsets", body),
            ("GET", f"/v2/zones/{zone.id}", None),
        ):
            before = time.monotonic()
            status, answer = call(method, path, sent)
            assert (status, answer["type"]) == (503, "service_unavailable")
            assert time.monotonic() - before < scaled(WRITE_S + STATEMENT_S + 2)
    finally:
        server.resume()

    before = time.monotonic()
    assert call("GET", f"/v2/zones/{zone.id}")[0] == 200
    assert call("POST", f"/v2/zones/{zone.id}/recordsets", body)[0] in (201, 202)
    assert time.monotonic() - before < scaled(STATEMENT_S)


def test_a_server_that_hangs_within_a_transaction_does_not_hold_the_writer(server, hidden):
    zone = hidden.zone(f"midway{next(NUMBERS)}.example.")

    def write(tx):
        zone_rows.update(tx, zone.id, description="half")
        server.pause()
        zone_rows.update(tx, zone.id, ttl=1)

    try:
        refused_within(WRITE_S + STATEMENT_S, lambda: hidden.database.write(write, zone.id))
    finally:
        server.resume()

    # What the server still held for the writer is gone once it notices that nobody is there.
    draft = RecordSetDraft(name=f"a.{zone.name}", type="A", records=("192.0.2.1",))
    hidden.central.recordsets.create(hidden.context, zone.id, draft)
    assert hidden.fresh(zone).description is None


def test_a_network_that_swallows_everything_is_a_503_in_time(database, proxy):
    database.write(marking("before"))
    proxy.swallow()
    try:
        refused_within(STATEMENT_S + 2, lambda: marks(database))
        refused_within(WRITE_S + 2, lambda: database.write(marking("meanwhile")))
    finally:
        proxy.restore()

    assert marks(database) == ["before"]


def break_commit(proxy):
    """Let the next COMMIT reach the server and drop its reply."""
    lost = threading.Event()

    def up(data):
        if data.rstrip(b"\0").endswith(b"COMMIT"):
            lost.set()
        return data

    proxy.up = up
    proxy.down = lambda data: None if lost.is_set() else data


def test_a_commit_whose_answer_was_lost_is_not_run_again(database, proxy):
    calls = []
    write = marking("unknown")

    def told(tx):
        tx.after_commit.append(lambda: calls.append("told"))
        calls.append(write(tx))

    break_commit(proxy)
    error = refused_within(STATEMENT_S, lambda: database.write(told))
    proxy.up = proxy.down = lambda data: data

    assert "may be stored" in error.message
    assert calls == [1]
    # The server had it: nothing was lost, and nothing was done twice.
    assert until(lambda: marks(database), 5) == ["unknown"]


def test_transactions_that_lock_each_other_out_both_get_through(database):
    database.write(lambda tx: tx.execute(sa.insert(TABLE), [{"mark": "a"}, {"mark": "b"}]))
    met = threading.Barrier(2)
    runs = []

    def crossing(first, second):
        def write(tx):
            runs.append(first)
            for number, mark in enumerate((first, second)):
                statement = sa.select(TABLE.c.mark).where(TABLE.c.mark == mark)
                tx.execute(tx.lock(statement)).all()
                if number == 0 and len(runs) <= 2:
                    met.wait(scaled(10))
            tx.execute(sa.insert(TABLE), {"mark": f"{first}{second}"})

        return lambda: database.write(write)

    threads = [threading.Thread(target=crossing(*pair)) for pair in (("a", "b"), ("b", "a"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WRITE_S + 5)

    assert marks(database) == ["a", "ab", "b", "ba"]
    assert len(runs) >= 3


def test_a_lock_that_is_not_given_back_is_a_503_and_nothing_waits_longer(database):
    database.write(marking("held"))
    holding, release = threading.Event(), threading.Event()
    statement = sa.select(TABLE.c.mark).where(TABLE.c.mark == "held")

    def hold(tx):
        tx.execute(tx.lock(statement)).all()
        holding.set()
        assert release.wait(scaled(30))

    holder = threading.Thread(target=database.write, args=(hold,))
    holder.start()
    assert holding.wait(scaled(10))

    error = refused_within(
        WRITE_S + STATEMENT_S,
        lambda: database.write(lambda tx: tx.execute(tx.lock(statement)).all()),
    )
    release.set()
    holder.join(scaled(10))

    assert "busy" in error.message


def test_a_full_pool_is_a_503_and_no_error(server):
    database = Database(server.fresh(), pool_size=1, pool_overflow=0, pool_timeout_s=0.2, **OPTIONS)

    def read():
        with database.read():
            pass

    with database.read():
        refused_within(STATEMENT_S, read)
    read()
    database.close()


@pytest.mark.parametrize("change", [{"password": "wr0ng-s3cret"}, {"database": "designate_none"}])
def test_a_server_that_refuses_is_a_503_and_the_password_stays_secret(server, caplog, change):
    wrong = sa.make_url(server.fresh()).set(**change)
    database = Database(wrong.render_as_string(hide_password=False), **OPTIONS)

    error = refused_within(STATEMENT_S, lambda: marks(database))
    database.close()

    assert wrong.password not in f"{error}{caplog.text}"
    assert "database: cannot connect" in caplog.text


def test_a_zone_whose_commit_went_unanswered_is_found_by_the_sweep(
    server, url, hidden, proxy, tmp_path
):
    """Periodic recovery does what after_commit could not do, because it reads the row."""
    name = f"swept{next(NUMBERS)}.example."
    storage = {"connection": url.replace(f":{server.port}/", f":{proxy.port}/")}
    with Hidden(tmp_path, **{"storage:sqlalchemy": storage}) as parts:
        break_commit(proxy)
        refused_within(STATEMENT_S, lambda: parts.zone(name))
        proxy.up = proxy.down = lambda data: data
        assert parts.worker.changes == []
        with pytest.raises(errors.Duplicate):
            parts.zone(name)

    def swept():
        hidden.central.status.recover(admin_context(), 0, 4095, 100)
        return [change for change in hidden.worker.changes if change.name == name]

    until(swept, 10, "the zone handed out")


def refusing_once(server, database, proxy):
    """Make the server roll back one transaction at its COMMIT; return the list of such rollbacks.

    Galera's certification and PostgreSQL's serialization do the same.
    """
    refusals = []
    if isinstance(server, PostgreSQL):
        for statement in (
            "CREATE SEQUENCE commits",
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF nextval('commits') = 1 THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF; "
            "RETURN NULL; END $$",
            "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON marks DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION refuse()",
        ):
            database.write(lambda tx, sql=statement: tx.execute(sa.text(sql)))
        return lambda: 1

    def up(data):
        if data.endswith(b"\x03COMMIT") and not refusals:
            refusals.append("COMMIT")
            return b"\x09\x00\x00\x00\x03ROLLBACK"
        return data

    def down(data):
        if len(refusals) != 1:
            return data
        refusals.append("told")
        text = b"#40001Deadlock found when trying to get lock; try restarting transaction"
        payload = b"\xff" + (1213).to_bytes(2, "little") + text
        return len(payload).to_bytes(3, "little") + b"\x01" + payload

    proxy.up, proxy.down = up, down
    return lambda: len(refusals) // 2


def test_a_transaction_that_is_refused_at_its_commit_is_run_again(server, database, proxy):
    refusals = refusing_once(server, database, proxy)

    runs = database.write(marking("certified"))

    assert (runs, refusals()) == (2, 1)
    assert marks(database) == ["certified"]
