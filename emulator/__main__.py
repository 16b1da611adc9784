"""``python -m emulator`` is ``video-emulator``."""

from emulator.cli import main

if __name__ == "__main__":
    main()
