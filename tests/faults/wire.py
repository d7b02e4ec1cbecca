"""A wire that can be spoiled: a TCP proxy between the product and a service (F7)."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from pathlib import Path

RESET = struct.pack("ii", 1, 0)  # lingers for no time: closing sends RST


class Wire:
    """Passes what comes to `port` on to a Unix socket, late, not at all, or until it is cut."""

    def __init__(self, upstream: Path) -> None:
        self.upstream = upstream
        self.late = 0.0  # seconds by which each piece is late
        self._ends: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._passing = asyncio.Event()
        self._passing.set()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._carry, sock=self._listener)
        await self._ended.wait()
        server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for end in list(self._ends):
            end.transport.abort()
        await asyncio.sleep(0)  # what was aborted is closed in the loop's next round

    # -- what can be done to it, from any thread ----------------------------------------------------------------------

    def block(self) -> None:
        """Nothing passes any more, and nobody is told (a black hole)."""
        self._loop.call_soon_threadsafe(self._passing.clear)

    def clear(self) -> None:
        """All passes, at once."""
        self.late = 0.0
        self._loop.call_soon_threadsafe(self._passing.set)

    def cut(self) -> None:
        """Every connection is reset."""
        self._loop.call_soon_threadsafe(self._reset)

    def close(self) -> None:
        """Ends it."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    # -- in its own thread --------------------------------------------------------------------------------------------

    def _reset(self) -> None:
        for end in list(self._ends):
            with suppress(OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        ends = [writer]
        try:
            await self._passing.wait()
            behind_reader, behind_writer = await asyncio.open_unix_connection(str(self.upstream))
            self._ends.add(behind_writer)
            ends.append(behind_writer)
            await asyncio.gather(self._pass_on(reader, behind_writer), self._pass_on(behind_reader, writer))
        except (OSError, asyncio.CancelledError):  # cancelled only when all ends
            pass
        finally:
            for end in ends:
                end.close()
                self._ends.discard(end)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65_536):
                if self.late:
                    await asyncio.sleep(self.late)
                await self._passing.wait()
                writer.write(piece)
                await writer.drain()
        writer.close()
