"""GPUs of this machine: probes, the thread that asks them, the join to containers. Knows no engine and no task."""
