"""What all folders of tests share: how hypothesis runs. Parts to test with are in servers.py and
service.py."""

import hypothesis

# A slow machine is no fault of the code; what fails prints how to repeat it.
hypothesis.settings.register_profile("designate", deadline=None, print_blob=True)
hypothesis.settings.load_profile("designate")
