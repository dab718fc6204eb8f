"""Who may see the page: names, tokens, sessions, limits, and the log of what was refused."""
