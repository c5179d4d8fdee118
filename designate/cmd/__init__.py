"""The programs: the daemons, the standalone service and the operator's commands."""
