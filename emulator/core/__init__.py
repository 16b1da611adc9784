"""The pure centre: values in, values out. No clock, no network, no files, no framework."""
