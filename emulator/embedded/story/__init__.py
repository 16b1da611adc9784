"""What happened in a namespace, in a few lines for whoever reads why a test failed."""

from emulator.embedded.story.teller import Story, story

__all__ = ["Story", "story"]
