"""RPC: interfaces, clients, dispatchers and the buses between them."""
