"""Likelihoods and divergences; posteriors and priors of latents in the folders below."""
