"""designate-producer: periodic tasks, shared out among the producers by shards."""
