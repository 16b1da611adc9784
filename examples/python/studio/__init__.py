"""A made-up team's integration with four providers of videos: what the tests beside it test."""
