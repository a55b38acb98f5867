"""Every change of a deal: `drafts` before it is handed in, `steps` from then on."""
