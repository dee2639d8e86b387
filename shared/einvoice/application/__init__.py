"""The operations (流程): one module each, the story without the details."""
