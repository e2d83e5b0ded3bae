"""The second kernel: claims as Rocq lemmas, printed as they are stated, and accepted by ``coqc`` or not."""
