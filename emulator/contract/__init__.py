"""A real provider, or an emulator, held against the contract of its wire: `video-emulator contract`.

As pytest: ``pytest --pyargs emulator.contract --video-emulator-provider octopusx --video-emulator-base-url URL``.
"""
