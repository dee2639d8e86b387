"""Three ways to issue one invoice, the same to call: ``handler(event, context)`` answering 201 and a number."""
