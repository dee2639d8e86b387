"""The ledger's storage (帳本): one protocol, one contract suite, two implementations."""
