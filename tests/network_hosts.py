"""Hosts of a test's own: network namespaces with addresses of their own and a wire to each, on this machine.

    with network(2) as hosts: ...

The test stands in the middle, on 10.77.0.1 of every wire; `hosts[0].address` is on the other end of the first.
`with hosts[0].inside():` starts processes there. Nothing of it reaches a real network, and nothing of it is left when
the last process in it has gone: the namespaces have no names.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

CLONE_NEWNET = 0x40000000
OWN = "/proc/thread-self/ns/net"
MIDDLE = "10.77.0.1"


@dataclass(frozen=True)
class Host:
    """`namespace` is an open file of it."""

    address: str
    namespace: int
    wire: str

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """This thread, and every process it starts, is on that host."""
        with _back_afterwards():
            _enter(self.namespace)
            yield

    def cut(self) -> None:
        """Pull the plug; `mend` puts it back."""
        ip("link", "set", self.wire, "down")

    def mend(self) -> None:
        ip("link", "set", self.wire, "up")


@contextlib.contextmanager
def network(count: int) -> Iterator[list[Host]]:
    """So many hosts around a middle in which the block runs; skips where this machine allows none."""
    if shutil.which("ip") is None:
        pytest.skip("iproute2 is not installed: it is needed to give a test hosts of its own.")
    with _back_afterwards(), contextlib.ExitStack() as opened:
        _new_namespace()
        ip("link", "add", "switch", "type", "bridge")
        ip("address", "add", f"{MIDDLE}/24", "dev", "switch")
        ip("link", "set", "switch", "up")
        yield [_host(number, opened) for number in range(2, count + 2)]


def _host(number: int, opened: contextlib.ExitStack) -> Host:
    with _back_afterwards():
        _new_namespace()
        namespace = os.open(OWN, os.O_RDONLY)
    opened.callback(os.close, namespace)
    host = Host(f"10.77.0.{number}", namespace, f"wire{number}")
    there = f"/proc/{os.getpid()}/fd/{namespace}"
    ip("link", "add", host.wire, "type", "veth", "peer", "name", "eth0", "netns", there)
    ip("link", "set", host.wire, "master", "switch", "up")
    with host.inside():
        ip("address", "add", f"{host.address}/24", "dev", "eth0")
        ip("link", "set", "eth0", "up")
    return host


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"Hosts of a test's own cannot be made here: {done.stderr.strip()}")


def _new_namespace() -> None:
    if _libc.unshare(CLONE_NEWNET):
        pytest.skip(f"Network namespaces are not allowed here: {os.strerror(ctypes.get_errno())}.")
    ip("link", "set", "lo", "up")


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def _back_afterwards() -> Iterator[None]:
    """Python's own `os.setns` comes with 3.12; either way it moves one thread."""
    here = os.open(OWN, os.O_RDONLY)
    try:
        yield
    finally:
        _enter(here)
        os.close(here)


_libc = ctypes.CDLL(None, use_errno=True)
