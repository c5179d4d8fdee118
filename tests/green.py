"""`pytest -p tests.green`: with DESIGNATE_CONCURRENCY=eventlet the tests and all that they start run
on green threads. As a plug-in it comes before those that import what is to be patched."""

from designate import concurrency

concurrency.prepare()
