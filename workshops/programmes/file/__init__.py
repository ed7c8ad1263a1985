"""The programme file: its schema, checks with line and place, reading, merging and writing back (no writes here)."""
