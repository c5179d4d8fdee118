"""The rate of requests per project: off by default, counted per project in a process or for all."""

from __future__ import annotations

import pytest

from designate import errors
from designate.api import rate_limit
from designate.api.project_rate import BoundedStorage, ProjectRateLimit
from tests.support.clients.repeatable import assert_repeatable
from tests.support.deadlines import scaled
from tests.support.servers.nameservers import Memcached, free_port
from tests.support.servers.redis import Redis
from tests.support.servers.standalone import Service, make_conf

LIMIT = 4


def limited(folder, **options):
    """Return a service with a limit."""
    return Service(folder, **{"service:api": {"rate_limit": LIMIT, **options}})


def get(service, project, path="/zones", **more):
    headers = {"X-Auth-Project-ID": project, **more}
    return service.http.get(f"{service.url}/v2{path}", headers=headers, timeout=scaled(30))


def codes(service, project, number=LIMIT + 1, **more):
    return [get(service, project, **more).status_code for _ in range(number)]


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with limited(tmp_path_factory.mktemp("rate"), rate_limit_exempt=["exempt"]) as service:
        yield service


def test_a_project_beyond_its_limit_gets_429_until_the_minute_is_over(service):
    assert codes(service, "busy") == [200] * LIMIT + [429]

    response = get(service, "busy")
    assert "4 requests per minute" in assert_repeatable(response, 429)
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert get(service, "quiet").status_code == 200


def test_acting_for_another_project_counts_for_the_callers_own(service):
    for number in range(LIMIT):
        more = {"X-Auth-Sudo-Project-ID": f"other{number}"}
        assert get(service, "actor", **more).status_code == 200

    assert get(service, "actor", **{"X-Auth-Sudo-Project-ID": "one-more"}).status_code == 429
    assert get(service, "one-more").status_code == 200


def test_exempt_projects_have_no_limit(service):
    assert codes(service, "exempt") == [200] * (LIMIT + 1)
    assert "max_requests_per_minute" not in get(service, "exempt", "/limits").json()


def test_health_and_versions_are_not_counted(service):
    for path in ("/", "/healthcheck") * LIMIT:
        response = service.http.get(service.url + path, timeout=scaled(30))
        assert response.status_code == 200


def test_the_limit_is_shown_with_the_others(service):
    assert get(service, "curious", "/limits").json()["max_requests_per_minute"] == LIMIT


def test_there_is_no_limit_by_default(tmp_path):
    assert rate_limit.configured(make_conf(tmp_path)) is None
    with Service(tmp_path) as service:
        assert "max_requests_per_minute" not in get(service, "p", "/limits").json()


@pytest.fixture(params=["redis", "memcached"])
def shared(request, tmp_path):
    """Return the URL of a storage, and how to stop it."""
    if request.param == "memcached":
        with Memcached() as cache:
            yield f"memcached://127.0.0.1:{cache.port}", cache.stop
        return
    with Redis(tmp_path / "redis", "secret") as redis:
        yield f"redis://:secret@127.0.0.1:{redis.port}", lambda: redis.__exit__()


def test_processes_count_together_in_a_storage_and_limit_nothing_without_it(
    shared, tmp_path, caplog
):
    url, stop = shared
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    with (
        limited(folders[0], rate_limit_storage=url) as first,
        limited(folders[1], rate_limit_storage=url) as second,
    ):
        assert codes(first, "p", LIMIT) == [200] * LIMIT
        assert codes(second, "p", 1) == [429]
        stop()
        assert codes(second, "p", LIMIT) == [200] * LIMIT

    assert caplog.text.count("rate_limit_storage unavailable") == 1
    assert "secret" not in caplog.text


@pytest.mark.parametrize("url", ["mongodb://h:1", "redis://h:port", "memcached://h", "127.0.0.1:1"])
def test_a_storage_that_cannot_be_used_is_an_error_of_the_configuration(tmp_path, url):
    options = {"service:api": {"rate_limit": 1, "rate_limit_storage": url}}

    with pytest.raises(errors.ConfigurationError, match="rate_limit_storage"):
        rate_limit.configured(make_conf(tmp_path, **options))


def test_no_connection_is_made_before_the_first_request(tmp_path):
    url = f"redis://127.0.0.1:{free_port()}"
    options = {"service:api": {"rate_limit": 1, "rate_limit_storage": url}}

    assert rate_limit.configured(make_conf(tmp_path, **options)) is not None


def test_counters_end_with_their_minute():
    now = [1000.0]
    storage = BoundedStorage(now=lambda: now[0])

    assert [storage.incr("a", 60) for _ in range(3)] == [1, 2, 3]
    assert storage.get_expiry("a") == 1060
    now[0] = 1060.0
    assert (storage.get("a"), storage.incr("a", 60)) == (0, 1)


def test_memory_has_a_bound_and_forgets_what_was_used_least():
    storage = BoundedStorage(max_counters=100)
    for number in range(100_000):
        storage.incr("regular", 60)
        storage.incr(str(number), 60)

    remembered = sum(storage.get(str(number)) for number in range(100_000))
    assert (remembered, storage.get("regular")) == (99, 100_000)


def test_a_token_without_a_project_counts_for_its_user():
    limit = ProjectRateLimit(1, BoundedStorage())
    limit.check(None, "one")
    limit.check(None, "two")

    with pytest.raises(errors.TooManyRequests):
        limit.check(None, "one")
