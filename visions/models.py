"""Statements, evidence, snapshots."""
