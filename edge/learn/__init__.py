"""Learning a door from labelled passes: on a laptop, with the extra `gates`; nothing of it is in a running agent."""
