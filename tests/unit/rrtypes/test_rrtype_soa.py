"""SOA (RFC 1035 section 3.3.13): made by the service, never accepted from clients."""

import pytest

from designate import rrtypes

RTYPE = "SOA"


@pytest.mark.parametrize("text", ["", "ns.a. admin.a. 1 3600 600 86400 300"])
def test_every_text_is_refused(refusal, text):
    assert refusal(text)


def test_number():
    assert rrtypes.numeric_type(RTYPE) == 6
