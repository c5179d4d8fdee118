"""`pytest -p tests.support.green`: with DESIGNATE_CONCURRENCY=eventlet the tests and all that
they start run on green threads. As a plug-in it comes before those that import what is to be patched."""

from designate.runtime import concurrency

concurrency.prepare()
