"""Keystone slow, dead or broken: waited for within one limit, and then a 503 at once for the others."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading

import pytest

from designate.api import keystone as keystone_api
from designate.api import keystone_transport
from designate.api.keystone_transport import KeystoneBlocked, KeystoneTransport
from tests.support.clients.repeatable import assert_repeatable
from tests.support.deadlines import scaled, until
from tests.support.fakes.clock import ManualClock
from tests.support.fakes.tcp_proxy import TcpProxy
from tests.support.servers.nameservers import free_port
from tests.support.servers.standalone import Service

UNAVAILABLE = "[keystone_authtoken] auth_url"
LATE = "[service:api] keystone_timeout"


def get(service, token=None):
    """Send GET /v2/zones and return the response."""
    headers = {"X-Auth-Token": token} if token else {}
    return service.http.get(f"{service.url}/v2/zones", headers=headers, timeout=scaled(60))


def url_of(port):
    return f"http://127.0.0.1:{port}/v3"


def connections(listener):
    """Accept and count the connections that wait."""
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            count += 1
    return count


@pytest.fixture
def silent():
    """Return a listener that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture
def proxy(keystone):
    with TcpProxy(keystone.port) as proxy:
        yield proxy


def slow(proxy, wait_s):
    held = threading.Event()

    def hold(data):
        held.wait(wait_s)
        return data

    proxy.down = hold


def test_while_keystone_is_away_the_answer_is_503_and_says_when_to_try_again(keystone, tmp_path):
    config_file = keystone.config_file(tmp_path, url=url_of(free_port()))
    with Service(tmp_path, config_file=config_file) as service:
        assert UNAVAILABLE in assert_repeatable(get(service, "anything"))


def test_a_keystone_that_never_answers_is_given_up_in_time(keystone, tmp_path, silent):
    config_file = keystone.config_file(tmp_path, url=url_of(silent.getsockname()[1]))
    api = {"service:api": {"keystone_timeout": 1}}
    with Service(tmp_path, config_file=config_file, **api) as service:
        assert LATE in assert_repeatable(get(service, "anything"))


def test_a_keystone_that_comes_back_is_believed_again(keystone, tmp_path):
    token = keystone.token(keystone.account("patient", "reader"))
    with Service(tmp_path, config_file=keystone.config_file(tmp_path)) as service:
        keystone.stop()
        try:
            assert_repeatable(get(service, token))
        finally:
            keystone.start()
        until(lambda: get(service, token).status_code == 200, 10)


def test_a_keystone_that_is_slow_is_waited_for(keystone, tmp_path, proxy):
    token = keystone.token(keystone.account("unhurried", "reader"))
    slow(proxy, 1)
    config_file = keystone.config_file(tmp_path, url=url_of(proxy.port))
    api = {"service:api": {"keystone_timeout": int(scaled(30))}}
    with Service(tmp_path, config_file=config_file, **api) as service:
        assert get(service, token).status_code == 200


def test_all_requests_for_a_token_share_one_limit(keystone, tmp_path, proxy):
    """Each of them alone would be in time."""
    token = keystone.token(keystone.account("sluggish", "reader"))
    slow(proxy, 1.5)
    config_file = keystone.config_file(tmp_path, url=url_of(proxy.port))
    api = {"service:api": {"keystone_timeout": 2}}
    with Service(tmp_path, config_file=config_file, **api) as service:
        assert LATE in assert_repeatable(get(service, token))
        assert proxy.connections >= 1


def test_a_connection_that_breaks_is_tried_once_more(keystone, tmp_path, proxy):
    token = keystone.token(keystone.account("stubborn", "reader"))
    numbers = itertools.count()
    proxy.up = lambda data: None if next(numbers) == 0 else data
    config_file = keystone.config_file(tmp_path, url=url_of(proxy.port))
    with Service(tmp_path, config_file=config_file) as service:
        assert get(service, token).status_code == 200


def test_a_dead_keystone_is_asked_by_one_request_in_a_while(
    keystone, tmp_path, monkeypatch, silent
):
    monkeypatch.setattr(keystone_transport, "PROBE_INTERVAL_S", 600.0)
    config_file = keystone.config_file(tmp_path, url=url_of(silent.getsockname()[1]))
    api = {"service:api": {"keystone_timeout": 1}}
    with Service(tmp_path, config_file=config_file, **api) as service:
        assert_repeatable(get(service, "anything"))
        asked = connections(silent)
        for _ in range(10):
            assert_repeatable(get(service, "anything"))
            # Keystone is not asked for this one, so that it proves nothing.
            assert get(service).status_code == 401

        assert asked >= 1
        assert connections(silent) == 0


def test_cached_tokens_are_good_while_keystone_is_dead(keystone, tmp_path, monkeypatch):
    monkeypatch.setattr(keystone_api, "IDENTITY_TTL_S", 0.0)
    token = keystone.token(keystone.account("remembered", "reader"))
    with Service(tmp_path, config_file=keystone.config_file(tmp_path)) as service:
        before = get(service, token).status_code
        keystone.stop()
        try:
            assert_repeatable(get(service, "anything"))
            after = [get(service, token).status_code for _ in range(3)]
        finally:
            keystone.start()

    assert (before, after) == (200, [200] * 3)


def test_a_wrong_password_of_the_service_is_unavailability_not_the_callers_fault(
    keystone, tmp_path
):
    config_file = keystone.config_file(tmp_path)
    text = config_file.read_text()
    config_file.write_text(text.replace("\npassword = ", "\npassword = wrong"))
    with Service(tmp_path, config_file=config_file) as service:
        assert_repeatable(get(service, keystone.token(keystone.account("innocent", "reader"))))


def test_one_request_at_a_time_probes_a_dead_keystone():
    clock = ManualClock()
    transport = KeystoneTransport(30, max_failures=2, clock=clock)

    def failing():
        transport.begin()
        transport.end(responded=False)

    with transport.checking():
        failing()
    with transport.checking(), pytest.raises(KeystoneBlocked):
        transport.begin()
    clock.advance(keystone_transport.PROBE_INTERVAL_S)
    with transport.checking():
        transport.begin()  # the probe, which lasts
        clock.advance(20)
        with transport.checking() as other, pytest.raises(KeystoneBlocked):
            transport.begin()
        transport.end(responded=True)
    with transport.checking():
        remaining_s = transport.begin()

    assert other.blocked
    assert remaining_s == 30


def test_the_check_of_a_token_ends_with_its_failures_or_its_time():
    clock = ManualClock()
    transport = KeystoneTransport(30, max_failures=2, clock=clock)
    with transport.checking() as failed:
        for _ in range(2):
            transport.begin()
            transport.end(responded=False)
        with pytest.raises(KeystoneBlocked):
            transport.begin()
    transport.breaker.record(available=True)
    with transport.checking() as late:
        transport.begin()
        transport.end(responded=True)
        clock.advance(30)
        with pytest.raises(KeystoneBlocked):
            transport.begin()

    assert (failed.blocked, failed.late) == (False, False)
    assert (late.blocked, late.late) == (False, True)
