"""Database options: their groups, precedence and URLs."""

from __future__ import annotations

import logging

import pytest
from oslo_config import cfg

from designate import config, errors
from designate.storage.sqlalchemy.db import options
from designate.storage.sqlalchemy.db.engine import Database
from designate.storage.sqlalchemy.db.options import DatabaseSettings

OWN, FALLBACK = "storage:sqlalchemy", "database"
URL = "mysql+pymysql://designate:s3cret@db.example.org/designate"


@pytest.fixture
def configured(tmp_path):
    def make(text: str) -> cfg.ConfigOpts:
        path = tmp_path / "designate.conf"
        path.write_text(text)
        conf = cfg.ConfigOpts()
        config.register(conf)
        conf([], project="designate", default_config_files=[str(path)], default_config_dirs=[])
        return conf

    return make


def test_either_group_is_enough(configured):
    for group in (OWN, FALLBACK):
        conf = configured(f"[{group}]\nconnection = {URL}\nmax_pool_size = 7\nmax_overflow = 3\n")

        found = DatabaseSettings.from_conf(conf)

        assert (found.url, found.pool_size, found.pool_overflow) == (URL, 7, 3)


def test_nothing_is_written_for_a_caller_who_waits_no_more(configured):
    default = configured(f"[{OWN}]\nconnection = {URL}\n")
    shorter = configured(f"[{OWN}]\nconnection = {URL}\nwrite_timeout = 3\n")

    assert DatabaseSettings.from_conf(default).write_timeout_s == 20
    assert DatabaseSettings.from_conf(default, reply_timeout_s=10).write_timeout_s == 8
    assert DatabaseSettings.from_conf(shorter, reply_timeout_s=10).write_timeout_s == 3


def test_what_is_set_in_both_counts_as_the_service_s_own_group_says(configured, caplog):
    conf = configured(
        f"[{OWN}]\nconnection = {URL}\nmax_pool_size = 7\n"
        f"[{FALLBACK}]\nconnection = {URL}2\nmax_pool_size = 9\npool_timeout = 4\n"
    )
    with caplog.at_level(logging.WARNING):
        found = DatabaseSettings.from_conf(conf)

    assert (found.url, found.pool_size, found.pool_timeout_s) == (URL, 7, 4)
    assert "ignoring the different value in [database]" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_default_of_one_group_does_not_hide_what_the_other_says(configured):
    conf = configured(f"[{FALLBACK}]\nconnection = {URL}\nconnection_recycle_time = 60\n")
    conf.set_default("connection", "sqlite:///standalone.sqlite", OWN)

    found = DatabaseSettings.from_conf(conf)

    assert (found.url, found.recycle_s) == (URL, 60)


def test_without_a_connection_it_says_which_option_is_missing(configured):
    with pytest.raises(errors.ConfigurationError, match="connection is not set"):
        DatabaseSettings.from_conf(configured(""))


def test_unlimited_pools_are_bounded_all_the_same(configured):
    conf = configured(f"[{OWN}]\nconnection = {URL}\nmax_pool_size = 0\nmax_overflow = -1\n")

    found = DatabaseSettings.from_conf(conf)

    assert 0 < found.pool_size + found.pool_overflow <= 2 * options.MAX_CONNECTIONS


def test_parameters_are_added_to_the_url_and_the_replica_s(configured):
    conf = configured(
        f"[{OWN}]\nconnection = {URL}\nslave_connection = {URL}\n"
        f"connection_parameters = ssl_ca=/etc/ca.pem\n"
    )

    found = DatabaseSettings.from_conf(conf)

    assert found.url == found.replica_url == f"{URL}?ssl_ca=%2Fetc%2Fca.pem"
    assert options.connection(conf) == found.url


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("mysql://u:p@h/d", "mysql+pymysql://u:p@h/d?charset=utf8mb4"),
        ("mysql+pymysql://u:p@h/d?charset=utf8", "mysql+pymysql://u:p@h/d?charset=utf8mb4"),
        ("mariadb+pymysql://u:p@h:33/d", "mysql+pymysql://u:p@h:33/d?charset=utf8mb4"),
        ("mysql+mysqldb://u:p@h/d?charset=latin1", "mysql+pymysql://u:p@h/d?charset=latin1"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgres://u:p@h/d?sslmode=require", "postgresql+psycopg://u:p@h/d?sslmode=require"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
    ],
)
def test_urls_are_read_as_operators_write_them(given, meant):
    assert options.driver_url(given).render_as_string(hide_password=False) == meant


@pytest.mark.parametrize("url", ["oracle://u:s3cret@h/d", "s3cret", "mysql://u:s3cret@h:x/d"])
def test_a_url_that_cannot_be_used_is_refused_without_showing_it(url):
    database = Database(url)

    with pytest.raises(errors.ConfigurationError) as caught, database.read():
        pass

    assert "s3cret" not in str(caught.value)
