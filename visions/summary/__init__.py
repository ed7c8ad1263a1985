"""The vision summary: statements, evidence, quotes, publishing."""
