"""The scheduler: the candidates that each filter leaves, alone and in combination."""

from datetime import datetime

import pytest
from stevedore import extension

from designate import errors
from designate.central.base import Core
from designate.central.policy import Policy
from designate.central.scheduler import (
    Attribute,
    InDoubtDefaultPool,
    PoolIdAttribute,
    PoolScheduler,
    Random,
)
from designate.context import Context
from designate.model.pools import Pool
from designate.storage.sqlalchemy import pools
from designate.storage.sqlalchemy.db.engine import Database
from tests.support.servers import schema
from tests.support.servers.standalone import make_conf

DEFAULT = "794ccc2c-d751-44fe-b57f-8894c9f5c842"
GOLD = "00000000-0000-4000-8000-00000000000a"
PLAIN = "00000000-0000-4000-8000-00000000000b"
PRIVATE = "00000000-0000-4000-8000-00000000000c"
NOWHERE = "00000000-0000-4000-8000-00000000000d"
MEMBER = Context(project_id="p", roles=["member"])
OWNER = Context(project_id="owner", roles=["member"])
ADMIN = Context(project_id="p", roles=["admin"])

PLUGIN = """
class LastByName:
    name = "last_by_name"

    def __init__(self, core):
        self.core = core

    def filter(self, context, pools, attributes):
        return sorted(pools, key=lambda pool: pool.name)[-1:]
"""


def pool(pool_id, name, **members):
    return Pool(id=pool_id, name=name, created_at=datetime(2026, 1, 1), **members)


STORED = (
    pool(DEFAULT, "default", attributes={"tier": "bronze"}),
    pool(GOLD, "gold", attributes={"tier": "gold", "ssd": "Yes", "site": "eu"}),
    pool(PLAIN, "plain"),
    pool(PRIVATE, "private", project_id="owner", attributes={"tier": "own"}),
)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Return a configuration whose database has the pools."""
    conf = make_conf(tmp_path_factory.mktemp("pools"))
    schema.migrate(conf["storage:sqlalchemy"].connection)
    database = Database.from_conf(conf)

    def write(tx):
        for found in pools.find(tx.connection):
            pools.delete(tx, found.id)
        for pool in STORED:
            pools.insert(tx, pool)

    database.write(write)
    yield conf, database
    database.close()


def scheduler(stored, *names, **options):
    conf, database = stored
    for name, value in {"scheduler_filters": list(names), **options}.items():
        conf.set_override(name, value, "service:central")
    core = Core(conf=conf, db=database, worker=None, policy=Policy(conf), quotas=None)
    scheduler = PoolScheduler(core)

    def choose(context=MEMBER, **attributes):
        with database.read() as connection:
            return scheduler.choose(connection, context, attributes).id

    return choose


@pytest.fixture(autouse=True)
def as_it_was(stored):
    yield
    stored[0].clear_override("default_pool_id", "service:central")


def refused(choose, *arguments, **attributes):
    with pytest.raises(errors.DesignateError) as caught:
        choose(*arguments, **attributes)
    return type(caught.value), caught.value.type


NONE_LEFT = (errors.NotFound, "no_valid_pool_found")
SEVERAL_LEFT = (errors.ConfigurationError, "multiple_pools_found")


@pytest.mark.parametrize("attributes", [{}, {"tier": "gold"}, {"pool_id": GOLD}])
def test_default_pool_takes_no_notice_of_the_zone(stored, attributes):
    assert scheduler(stored, "default_pool")(**attributes) == DEFAULT


@pytest.mark.parametrize("before", ["attribute", "pool_id_attribute"])
def test_default_pool_takes_no_notice_of_the_filters_before_it(stored, before):
    choose = scheduler(stored, before, "default_pool")

    assert choose(ADMIN, tier="gold", pool_id=GOLD) == DEFAULT


@pytest.mark.parametrize("name", ["default_pool", "fallback"])
def test_a_default_pool_that_does_not_exist_is_no_pool(stored, name):
    choose = scheduler(stored, "pool_id_attribute", name, default_pool_id=NOWHERE)

    assert refused(choose, pool_id=NOWHERE) == NONE_LEFT


def left_by(stored, filter_class, pools=STORED, context=MEMBER, **attributes):
    """Return the names of the pools that a filter leaves of these."""
    conf, database = stored
    core = Core(conf=conf, db=database, worker=None, policy=Policy(conf), quotas=None)
    return [pool.name for pool in filter_class(core).filter(context, pools, attributes)]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["default", "gold", "plain", "private"]),
        ({"tier": "gold"}, ["gold", "plain"]),
        ({"tier": "gold", "site": "eu"}, ["gold", "plain"]),
        ({"tier": "gold", "site": "us"}, ["plain"]),
        ({"tier": "gold", "colour": "red"}, ["plain"]),
        ({"tier": "GOLD"}, ["plain"]),
        ({"Tier": "gold"}, ["plain"]),
        ({"ssd": "true"}, ["gold", "plain"]),
        ({"ssd": "ON"}, ["gold", "plain"]),
        ({"ssd": "1"}, ["gold", "plain"]),
        ({"ssd": "no"}, ["plain"]),
        ({"ssd": "gold"}, ["plain"]),
        ({"tier": "gold", "pool_id": GOLD}, ["gold", "plain"]),
    ],
)
def test_attribute_wants_all_that_the_zone_has_and_pools_without_any_take_every_zone(
    stored, wanted, names
):
    assert left_by(stored, Attribute, **wanted) == names


def test_pool_id_attribute_without_the_attribute_leaves_what_there_is(stored):
    assert left_by(stored, PoolIdAttribute, tier="gold") == [pool.name for pool in STORED]


@pytest.mark.parametrize("pool_id", [GOLD, GOLD.upper()])
def test_pool_id_attribute_leaves_the_named_pool_to_those_who_may_choose(stored, pool_id):
    choose = scheduler(stored, "pool_id_attribute")

    assert choose(ADMIN, pool_id=pool_id) == GOLD
    assert refused(choose, MEMBER, pool_id=pool_id) == (errors.Forbidden, "forbidden")


def test_pool_id_attribute_of_no_pool_leaves_none_whoever_asks(stored):
    choose = scheduler(stored, "pool_id_attribute")

    assert refused(choose, ADMIN, pool_id=NOWHERE) == NONE_LEFT
    assert refused(choose, MEMBER, pool_id=NOWHERE) == NONE_LEFT


def test_another_projects_pool_is_as_one_that_does_not_exist(stored):
    choose = scheduler(stored, "pool_id_attribute")
    attribute = scheduler(stored, "attribute", "pool_id_attribute")

    assert refused(choose, MEMBER, pool_id=PRIVATE) == NONE_LEFT
    assert refused(choose, OWNER, pool_id=PRIVATE) == (errors.Forbidden, "forbidden")
    assert attribute(MEMBER, tier="own") == PLAIN
    assert refused(attribute, OWNER, tier="own") == SEVERAL_LEFT


def test_a_named_pool_that_was_dropped_before_changes_nothing_but_is_not_everybodys(stored):
    choose = scheduler(stored, "attribute", "pool_id_attribute")

    assert choose(ADMIN, tier="silver", pool_id=GOLD) == PLAIN
    assert refused(choose, MEMBER, tier="silver", pool_id=GOLD) == (errors.Forbidden, "forbidden")


def test_the_default_settles_doubt_where_it_is_one_of_several(stored):
    choose = scheduler(stored, "attribute", "in_doubt_default_pool")

    assert choose() == DEFAULT
    assert choose(tier="bronze") == DEFAULT
    assert choose(tier="silver") == PLAIN
    assert refused(choose, tier="gold") == SEVERAL_LEFT
    assert left_by(stored, InDoubtDefaultPool, STORED[:1]) == ["default"]
    assert left_by(stored, InDoubtDefaultPool, STORED[1:2]) == ["gold"]
    assert left_by(stored, InDoubtDefaultPool, ()) == []


def test_fallback_is_for_when_nothing_is_left(stored):
    choose = scheduler(stored, "pool_id_attribute", "fallback")

    assert choose(ADMIN, pool_id=NOWHERE) == DEFAULT
    assert choose(ADMIN, pool_id=GOLD) == GOLD
    assert refused(choose, ADMIN) == SEVERAL_LEFT


def test_random_takes_one_of_those_left_and_each_at_times(stored):
    choose = scheduler(stored, "attribute", "random")

    # Fails by chance in 2**-200 of all runs.
    assert {choose(tier="gold") for _ in range(200)} == {GOLD, PLAIN}
    assert left_by(stored, Random, ()) == []


def test_an_operators_own_filter_takes_its_place_in_the_order(stored, tmp_path, monkeypatch):
    info = tmp_path / "lastbyname-1.0.dist-info"
    info.mkdir()
    (tmp_path / "lastbyname_plugin.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lastbyname\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[designate.scheduler.filters]\nlast_by_name = lastbyname_plugin:LastByName\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(extension.ExtensionManager, "ENTRY_POINT_CACHE", {})

    choose = scheduler(stored, "attribute", "last_by_name")

    assert choose(tier="bronze") == PLAIN
    assert choose(OWNER) == PRIVATE


def test_a_wrong_list_of_filters_is_told_at_the_start(stored):
    with pytest.raises(errors.ConfigurationError, match="scheduler_filters is empty") as empty:
        scheduler(stored)
    with pytest.raises(errors.ConfigurationError, match="unknown filters: atribute, sharded"):
        scheduler(stored, "atribute", "default_pool", "sharded")

    assert empty.value.type == "no_filters_configured"
