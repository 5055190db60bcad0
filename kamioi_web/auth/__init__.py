"""Who may see it: passwords, sessions, limits on logins, and the guard in front of every page."""
