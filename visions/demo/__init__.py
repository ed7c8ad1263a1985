"""Synthetic workshops and a summary to try the product with."""
