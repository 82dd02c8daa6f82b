"""One image run over many commands: the commands, the file of results. Pure; knows no engine."""
