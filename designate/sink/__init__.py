"""designate-sink: creates records from the notifications of other services."""
