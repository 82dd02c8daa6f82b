"""The same workload measured on several engines: rounds, readings, statistics. May not know any engine or a screen."""
