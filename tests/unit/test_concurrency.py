"""What eventlet, which libraries import on their own, must not do to us."""

import subprocess
import sys

LATE_EVENTLET = """
import warnings
warnings.simplefilter("ignore")
import dns.name, dns.tsig
import designate
import eventlet
import dns.message
query = dns.message.make_query("a.example.", "SOA")
query.use_tsig({"key.": b"0123456789abcdef"})
print(dns.message.from_wire(query.to_wire(), keyring=query.keyring).had_tsig)
"""


def test_dns_messages_are_signed_although_a_library_imports_eventlet():
    done = subprocess.run(
        [sys.executable, "-c", LATE_EVENTLET], capture_output=True, text=True, timeout=60
    )

    assert done.stdout.strip() == "True", done.stderr
