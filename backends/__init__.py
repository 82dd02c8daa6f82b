"""Everything below the glass: engines, GPUs, migration, state. Never imports textual or rich."""
