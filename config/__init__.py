"""Wiring only: settings, addresses, the ASGI application."""
