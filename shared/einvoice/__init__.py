"""Taiwan uniform invoices (統一發票) for shop platforms: rules, ledger and value-added centres."""
