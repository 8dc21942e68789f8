"""Images on disk and in memory: the PBC archive, drawn cells, splits, loading and auditing."""
