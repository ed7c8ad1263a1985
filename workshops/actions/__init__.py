"""Verbs: the only writers, each announces after its commit."""
