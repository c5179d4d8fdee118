"""backend.catalog: targets that learn their zones from a catalog zone."""

import pytest

from designate import errors
from designate.backend import base
from designate.model.pools import Target
from tests.support.factories.worker import change


def test_it_is_told_by_notify_alone_and_needs_a_catalog_zone():
    backend = base.load(Target(type="catalog", options={"host": "192.0.2.1", "port": "5353"}))

    assert backend.NOTIFY
    assert backend.notify_address == ("192.0.2.1", 5353)
    with pytest.raises(errors.BackendError, match="no catalog_zone"):
        backend.create_zone(change())
    backend.delete_zone(change(), hard_delete=True)
