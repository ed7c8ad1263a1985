"""What goes wrong: faults in an order drawn by chance from a seed, one or two at a time, each healed by itself.

The network is a proxy before each server process; processes are stopped and killed; services go away and come back.
Every fault is written into the history when it begins and when all is well again.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg

from .. import network_faults
from .record import SAW, History
from .stacks import Stack

Fault = Coroutine[Any, Any, None]


class Nemesis:
    """`faults`: names of the ones to choose from, or `none`; empty: all that this stack can suffer."""

    def __init__(
        self,
        stack: Stack,
        proxies: list[network_faults.Proxy],
        history: History,
        rng: random.Random,
        faults: list[str],
    ) -> None:
        self.stack, self.proxies, self.history, self.rng = stack, proxies, history, rng
        can = self._possible()
        self.faults = {name: can[name] for name in faults or can if name != "none"}
        #: one at a time for a server process, and for each service
        self._servers = [asyncio.Lock() for _ in stack.ports]
        self._service = asyncio.Lock()

    def _possible(self) -> dict[str, Callable[[], Fault]]:
        network = {
            "slow": self.slow, "narrow": self.narrow, "slices": self.slices, "cut": self.cut,
            "half_open": self.half_open, "hold_up": self.hold_up, "hold_down": self.hold_down,
            "resets": self.resets, "reorder": self.reorder,
        }  # fmt: skip
        processes = {"kill": self.kill, "freeze": self.freeze, "restart": self.restart, "lock": self.lock}
        services = {}
        if self.stack.postgres:
            services |= {"database_killed": self.database_killed, "database_frozen": self.database_frozen}
        if self.stack.redis:
            services |= {"redis_killed": self.redis_killed, "redis_frozen": self.redis_frozen}
        return network | processes | services

    async def run(self, seconds: float) -> None:
        """Until this time is over; then everything is well again."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        names = sorted(self.faults)
        while names and loop.time() < end:
            chosen = self.rng.sample(names, min(len(names), 1 + (self.rng.random() < 0.25)))
            await asyncio.gather(*(self._suffer(name) for name in chosen))
            await asyncio.sleep(self.rng.uniform(0.2, 1.2))

    async def _suffer(self, name: str) -> None:
        self.history.note("nemesis", SAW, "fault", code=name)
        await self.faults[name]()
        self.history.note("nemesis", SAW, "fault", code=f"{name} is over")

    async def _while(self, least: float = 0.4, most: float = 2.0) -> None:
        await asyncio.sleep(self.rng.uniform(least, most))

    @property
    def _proxy(self) -> network_faults.Proxy:
        return self.rng.choice(self.proxies)

    # -- the network -----------------------------------------------------------------------------------------------

    async def _weather(self, weather: network_faults.Weather) -> None:
        proxy = self._proxy
        proxy.weather = weather
        await self._while()
        proxy.weather = network_faults.Weather()

    async def slow(self) -> None:
        late = self.rng.uniform(0.05, 0.4)
        await self._weather(network_faults.Weather(latency=late, jitter=late / 2))

    async def narrow(self) -> None:
        await self._weather(network_faults.Weather(bytes_per_second=self.rng.choice([2_000, 8_000, 30_000])))

    async def slices(self) -> None:
        await self._weather(network_faults.Weather(slice=self.rng.choice([1, 7, 100])))

    async def cut(self) -> None:
        proxy = self._proxy
        await proxy.cut()
        await self._while()
        proxy.mend()

    async def half_open(self) -> None:
        self._proxy.half_open()

    async def hold_up(self) -> None:
        await self._hold(network_faults.UP)

    async def hold_down(self) -> None:
        await self._hold(network_faults.DOWN)

    async def _hold(self, way: str) -> None:
        proxy = self._proxy
        proxy.hold(way)
        await self._while()
        proxy.release(way)

    async def resets(self) -> None:
        await self._proxy.reset_some(self.rng.uniform(0.2, 0.9))

    async def reorder(self) -> None:
        proxy = self._proxy
        proxy.reorder_frames(self.rng.randint(2, 4))
        await self._while()
        proxy.reorder_frames(0)

    # -- processes ---------------------------------------------------------------------------------------------------

    def _number(self) -> int:
        return self.rng.randrange(len(self.stack.ports))

    async def kill(self) -> None:
        """SIGKILL in the middle of everything, and the same server again."""
        number = self._number()
        async with self._servers[number]:
            await asyncio.to_thread(self.stack.kill_server, number)
            await self._while(0.1, 1.0)
            await asyncio.to_thread(self.stack.start_server, number)

    async def restart(self) -> None:
        """SIGTERM, as for a new version."""
        number = self._number()
        async with self._servers[number]:
            await asyncio.to_thread(self.stack.servers[number].stop)
            await asyncio.to_thread(self.stack.start_server, number)

    async def freeze(self) -> None:
        number = self._number()
        async with self._servers[number]:
            self.stack.signal_server(number, signal.SIGSTOP)
            await self._while(0.5, 3.0)
            self.stack.signal_server(number, signal.SIGCONT)

    # -- what they stand on --------------------------------------------------------------------------------------------

    async def lock(self) -> None:
        """Nobody can write for longer than the product waits."""
        async with self._service:
            with contextlib.suppress(sqlite3.Error, psycopg.Error):  # it is too busy to be locked
                await asyncio.to_thread(self.stack.lock, self.rng.uniform(0.5, 3.0))

    async def database_killed(self) -> None:
        await self._killed(self.stack.postgres)

    async def database_frozen(self) -> None:
        await self._frozen(self.stack.postgres)

    async def redis_killed(self) -> None:
        await self._killed(self.stack.redis)

    async def redis_frozen(self) -> None:
        await self._frozen(self.stack.redis)

    async def _killed(self, service: Any) -> None:
        async with self._service:
            await asyncio.to_thread(service.kill)
            await self._while(0.1, 2.0)
            await asyncio.to_thread(service.start)

    async def _frozen(self, service: Any) -> None:
        async with self._service:
            service.pause()
            await self._while(0.5, 3.0)
            service.resume()
