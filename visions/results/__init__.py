"""Figures over many workshops: aggregates, breakdowns, statistics, what may be shown."""
