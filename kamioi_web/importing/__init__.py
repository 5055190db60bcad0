"""Getting data in: files of transactions and of mappings, and the legacy database."""
