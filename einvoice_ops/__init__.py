"""The operator's command (維運指令): ``python -m einvoice_ops --help``."""
