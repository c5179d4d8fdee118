"""DNS as a Service for OpenStack clouds."""

import os

# Several libraries import eventlet where it is installed, and eventlet would then replace dnspython's
# modules by copies, whose name objects the originals do not recognize.
os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
