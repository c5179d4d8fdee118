"""Run tests on green threads: `pytest -p tests.support.green` with DESIGNATE_CONCURRENCY=eventlet.

A plug-in is loaded before the modules that import what is to be patched.
"""

from designate.runtime import concurrency

concurrency.prepare()
