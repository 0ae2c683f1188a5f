"""How models are measured: protocols and scores, above the models.

`kzoo.metrics` has the Keras metrics among them.
"""
