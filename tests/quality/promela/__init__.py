"""The table as a Promela model, checked by Spin: a second proof by other means."""
