"""The whole system on one machine: the real template on an embedded AWS, beside a simulated centre. For development."""
