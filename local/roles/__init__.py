"""The functions' roles against the local run: what each may do, what it really does, and that nothing is spare."""
