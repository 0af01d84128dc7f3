"""Waiting on the event loop for AWS time."""

import asyncio

from cloudkata.engine.alarm import Alarm, sleep
from cloudkata.engine.clock import AwsClock


async def soon(waiting) -> bool:
    """Whether a task ends within some seconds of real time."""
    done, _ = await asyncio.wait([waiting], timeout=5)
    return bool(done)


def test_a_sleep_ends_when_the_clock_is_moved_past_it():
    async def run():
        clock = AwsClock()
        waiting = asyncio.create_task(sleep(clock, 3600))
        await asyncio.sleep(0)
        clock.advance(1800)
        await asyncio.sleep(0.05)
        assert not waiting.done()
        clock.advance(1800)
        return await soon(waiting)

    assert asyncio.run(run())


def test_a_sleep_is_shorter_when_time_runs_faster():
    async def run():
        clock = AwsClock()
        waiting = asyncio.create_task(sleep(clock, 10))
        await asyncio.sleep(0)
        clock.set_factor(10)
        return await soon(waiting)

    assert asyncio.run(run())


def test_an_alarm_that_rang_before_is_not_missed():
    async def run():
        alarm = Alarm(AwsClock())
        await asyncio.to_thread(alarm.ring)
        return await soon(asyncio.create_task(alarm.wait()))

    assert asyncio.run(run())


def test_a_closed_alarm_is_forgotten_by_the_clock():
    async def run():
        clock = AwsClock()
        alarm = Alarm(clock)
        alarm.close()
        return clock._listeners

    assert asyncio.run(run()) == []
