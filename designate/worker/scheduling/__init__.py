"""When and on which thread the worker does its work: queues, limits, executors and timers."""
