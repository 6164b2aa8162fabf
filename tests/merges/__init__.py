"""``make merges``: every merge strategy on a real server, many calls, and what everybody heard."""
