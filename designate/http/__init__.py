"""The HTTP server of the API and of monitoring: an event loop in front of a WSGI application's threads.

A connection costs no thread: one loop per server does handshakes and reads requests, and hands over each
request when all of it is there. Bounds and deadlines are those of `connection.HttpLimits`.
"""
