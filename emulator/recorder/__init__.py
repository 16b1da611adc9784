"""Recording: a reverse proxy in front of a provider, and a scenario made of what passed through it.

`proxy` and `upstream` are the edge. All between is values in, values out: `seen` is what passed, `reading` and `runs`
say what it meant, `timeline` and `refusals` put it into the scenario language, `replay` holds the draft against what
was seen, `folding` and `writing` make a file of it.
"""
