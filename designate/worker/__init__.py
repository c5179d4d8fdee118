"""designate-worker: makes the nameservers of pools agree with the database."""
