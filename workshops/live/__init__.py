"""The engine: sockets, hub, write batcher, health."""
