"""Single faults against the local run: every fault once, three identical calls, and what became of the order."""
