"""DNS as a Service for OpenStack clouds."""

import os

# Several libraries import eventlet where it is installed, and eventlet would then put copies of
# dnspython's modules in the place of those that are in use: names of one are no names for the other.
os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
