"""Container usage from cgroup files, and which container a pid is in. May not know engines, sockets or tasks."""
