"""An emulator of video-generation task APIs, driven by scenario files."""

__version__ = "0.1.0"
