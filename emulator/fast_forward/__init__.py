"""Sleeps that move a clock instead of waiting, in a thread and the asyncio tasks there, while a `FastForward` holds."""

from emulator.fast_forward.forward import FastForward
from emulator.fast_forward.tally import SleptTooLong

__all__ = ["FastForward", "SleptTooLong"]
