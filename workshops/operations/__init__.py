"""What keeps it running: backups, rehearsal, the load test; management commands stay thin."""
