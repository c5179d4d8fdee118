"""backend.http_client against an HTTP server on loopback: deadlines, connections, secrets."""

import time

import pytest
import trustme

from designate import errors
from designate.backend.http_client import MAX_RESPONSE_BYTES, WIDTH, ClientTls, WebClient, basic
from tests.support.deadlines import scaled
from tests.support.fakes.http_server import Response, Weblet, server_side
from tests.support.servers.nameservers import free_port


def echo(request):
    return Response(body={"method": request.method, "data": request.data, "path": request.path})


def client(web, timeout_s=5.0, **settings):
    return WebClient("Product", web.url, timeout_s=timeout_s, **settings)


def test_a_call_carries_json_there_and_back():
    with Weblet(echo) as web:
        answer = client(web, headers={"X-Key": "k"}).call("PUT", "/a%2Fb?c=d", {"e": [1]})

    assert answer.good
    assert answer.json() == {"method": "PUT", "data": {"e": [1]}, "path": "/a/b"}
    assert web.requests[0].headers["x-key"] == "k"
    assert web.requests[0].headers["content-type"] == "application/json"
    assert web.requests[0].query == {"c": "d"}


def test_connections_are_kept():
    with Weblet(echo) as web:
        asking = client(web)
        for _ in range(5):
            asking.call("GET", "/")

    assert (len(web.requests), web.connections) == (5, 1)


def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure():
    with Weblet(echo) as web:
        asking = client(web)
        asking.call("GET", "/")
        web.stop()
        web.start()

        assert asking.call("GET", "/").good


def test_one_hang_up_is_no_failure_and_a_second_one_is():
    with Weblet(echo) as web:
        asking = client(web)
        web.drops = 1
        answer = asking.call("GET", "/")
        web.drops = 9
        with pytest.raises(errors.BackendUnavailable):
            asking.call("GET", "/")

    assert answer.good
    assert len(web.requests) == 4


def test_an_answer_after_which_the_server_hangs_up_is_read_whole():
    with Weblet(
        lambda _: Response(body=b"y" * 300_000, headers={"Connection": "close"}, close=True)
    ) as web:
        answer = client(web).call("GET", "/")

    assert len(answer.body) == 300_000


def test_no_answer_is_waited_for_beyond_the_deadline():
    with Weblet(echo) as web:
        web.hold.clear()
        before = time.monotonic()
        with pytest.raises(errors.BackendUnavailable, match="no response in time"):
            client(web, timeout_s=0.2).call("GET", "/")

    assert time.monotonic() - before < scaled(5)


def test_an_answer_that_drips_is_given_up_at_the_deadline():
    with Weblet(echo) as web:
        web.drip = 0.02
        with pytest.raises(errors.BackendError, match="no response in time"):
            client(web, timeout_s=0.3).call("GET", "/")


def test_who_finds_no_free_connection_waits_within_the_deadline():
    with Weblet(echo) as web:
        web.hold.clear()
        asking = client(web, timeout_s=0.3)
        pool = asking._pool
        taken = [pool._get_conn() for _ in range(WIDTH)]
        before = time.monotonic()
        with pytest.raises(errors.BackendUnavailable, match="all connections are in use"):
            asking.call("GET", "/")

    assert time.monotonic() - before < scaled(5)
    assert len(taken) == WIDTH
    assert web.connections == 0


def test_an_answer_without_end_is_refused():
    endless = Response(body=b"z" * (MAX_RESPONSE_BYTES + 1))
    with Weblet(lambda _: endless) as web, pytest.raises(errors.BackendError, match="too large"):
        client(web).call("GET", "/")


def test_a_redirection_is_an_answer_and_not_followed():
    with Weblet(lambda _: Response(status=302, headers={"Location": "/other"})) as web:
        answer = client(web).call("GET", "/")

    assert (answer.status, len(web.requests)) == (302, 1)


def test_a_server_that_is_away_is_named():
    port = free_port()

    with pytest.raises(errors.BackendUnavailable, match=f"127.0.0.1:{port}: Connection refused"):
        WebClient("Product", f"http://127.0.0.1:{port}", timeout_s=1).call("GET", "/")


def test_a_secret_that_the_server_quotes_is_masked():
    with Weblet(lambda _: Response(status=400, body={"error": "bad key s3cret!"})) as web:
        asking = client(web, secrets=("s3cret!", None))
        error = asking.refused("create x.", asking.call("GET", "/"), "error")

    assert str(error).endswith("create x. failed with HTTP status 400 (bad key ***)")


def test_a_limit_of_requests_is_told_with_its_time():
    with Weblet(lambda _: Response(status=429, headers={"Retry-After": "7"})) as web:
        asking = client(web)

        assert "retry after 7 s" in str(asking.refused("x", asking.call("GET", "/")))


@pytest.mark.parametrize(
    ("status", "is_away"),
    [(400, False), (401, False), (409, False), (429, True), (500, False), (503, True), (504, True)],
)
def test_who_cannot_now_has_refused_nothing(status, is_away):
    with Weblet(lambda _: Response(status=status)) as web:
        asking = client(web)
        error = asking.refused("create x.", asking.call("GET", "/"))

    assert isinstance(error, errors.BackendUnavailable) is is_away


def test_what_is_no_json_reads_as_nothing():
    with Weblet(lambda _: Response(body=b"<html>")) as web:
        answer = client(web).call("GET", "/")

    assert answer.json() is None
    assert answer.member("error") is None


@pytest.mark.parametrize("url", ["ftp://host/", "host:8081", "", "https://"])
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(errors.ConfigurationError, match="URL"):
        WebClient("Product", url, timeout_s=1)


def trusted(authority, path):
    authority.cert_pem.write_to_path(str(path))
    return ClientTls(ca_file=str(path))


def test_a_certificate_is_checked_against_the_given_authority(tmp_path):
    ours, other = trustme.CA(), trustme.CA()
    with Weblet(echo, tls=server_side(ours, "127.0.0.1")) as web:
        good = client(web, tls=trusted(ours, tmp_path / "ours.pem")).call("GET", "/")
        unchecked = client(web, tls=ClientTls(verify=False)).call("GET", "/")
        for tls in (trusted(other, tmp_path / "other.pem"), ClientTls()):
            with pytest.raises(errors.BackendError, match="TLS failed"):
                client(web, tls=tls).call("GET", "/")
        with pytest.raises(errors.BackendError, match=r"No such file .*none\.pem"):
            client(web, tls=ClientTls(ca_file=str(tmp_path / "none.pem"))).call("GET", "/")

    assert good.good
    assert unchecked.good


def test_a_certificate_for_another_name_is_refused(tmp_path):
    ours = trustme.CA()
    wrong = server_side(ours, "other.example")
    with Weblet(echo, tls=wrong) as web, pytest.raises(errors.BackendError, match="TLS failed"):
        client(web, tls=trusted(ours, tmp_path / "ours.pem")).call("GET", "/")


def test_basic_authentication_is_encoded():
    assert basic("Aladdin", "open sesame") == {
        "Authorization": "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    }
