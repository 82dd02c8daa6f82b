"""What is risky about a container and its engine, each with the fact it was read from. Pure; asks no engine."""
