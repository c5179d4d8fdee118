"""The options of keystonemiddleware that the service itself looks at."""

import sys

import pytest
from oslo_config import cfg

from designate import config, errors
from designate.api import keystone


def test_memcached_without_its_client_is_one_line_for_the_operator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    conf = cfg.ConfigOpts()
    config.register(conf)
    conf([], default_config_files=[], default_config_dirs=[])
    keystone.with_authentication(conf, lambda _environ, _start: [])
    conf.set_override("memcached_servers", ["127.0.0.1:11211"], "keystone_authtoken")
    monkeypatch.setitem(sys.modules, "memcache", None)

    with pytest.raises(errors.ConfigurationError, match=r"pip install designate\[memcached\]"):
        keystone.with_authentication(conf, lambda _environ, _start: [])
