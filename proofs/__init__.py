"""The theorems: one claim a file, a folder a chapter."""

if __name__ != "equiv.proofs":
    raise ImportError("import equiv.proofs: a second import under another name would load every claim twice")
