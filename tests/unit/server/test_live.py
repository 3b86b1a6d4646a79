"""The stream: what was missed is repeated, what cannot be is a reload, a slow listener is let go."""

import asyncio
import json
from collections.abc import AsyncIterator

from seawall.lists import Change
from seawall.server import live
from seawall.server.live import Hub


def change(number: int) -> Change:
    return Change("alerts/add", {"n": number})


async def next_of(stream: AsyncIterator[str]) -> tuple[str, dict[str, object]]:
    text = await asyncio.wait_for(anext(stream), 2)
    fields = dict(line.split(": ", 1) for line in text.strip().splitlines())
    return fields["id"], json.loads(fields["data"])


async def numbers(stream: AsyncIterator[str], count: int) -> list[object]:
    return [(await next_of(stream))[1]["payload"] for _ in range(count)]


def test_a_listener_hears_changes_in_order() -> None:
    async def play() -> None:
        hub = Hub()
        hub.start(asyncio.get_running_loop())
        stream = hub.listen(None)
        assert (await next_of(stream))[1]["type"] == "ping"
        hub.publish([change(1), change(2)])
        assert await numbers(stream, 2) == [{"n": 1}, {"n": 2}]
        hub.close()
        assert [text async for text in stream] == []

    asyncio.run(play())


def test_coming_back_repeats_what_was_missed() -> None:
    async def play() -> None:
        hub = Hub()
        hub.start(asyncio.get_running_loop())
        stream = hub.listen(None)
        await next_of(stream)
        hub.publish([change(1), change(2), change(3)])
        seen, _ = await next_of(stream)
        again = hub.listen(seen)
        await next_of(again)
        assert await numbers(again, 2) == [{"n": 2}, {"n": 3}]

    asyncio.run(play())


def test_a_gap_another_life_and_rubbish_mean_reload() -> None:
    async def play() -> None:
        hub = Hub()
        hub.start(asyncio.get_running_loop())
        stream = hub.listen(None)
        first, _ = await next_of(stream)
        hub.publish([change(n) for n in range(live.RING + 10)])
        await asyncio.sleep(0)
        for last in (first, "otherlife-3", "rubbish", f"{first}9999"):
            again = hub.listen(last)
            await next_of(again)
            assert (await next_of(again))[1]["type"] == "reload", last

    asyncio.run(play())


def test_a_slow_listener_is_let_go_and_costs_nobody() -> None:
    async def play() -> None:
        hub = Hub()
        hub.start(asyncio.get_running_loop())
        slow, quick = hub.listen(None), hub.listen(None)
        await next_of(slow)
        await next_of(quick)
        for number in range(live.QUEUE + 5):
            hub.publish([change(number)])
            await asyncio.sleep(0)
            assert (await next_of(quick))[1]["payload"] == {"n": number}
        assert [text async for text in slow] == []

    asyncio.run(play())
