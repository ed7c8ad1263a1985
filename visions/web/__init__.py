"""Pages of researchers and public readers."""
