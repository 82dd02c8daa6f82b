"""Presets: drafts of containers with a reason for each setting, as TOML files. Asks no engine."""
