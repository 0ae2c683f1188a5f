"""What `transfer_learning.py` compares and how it trains; its report describes the same."""

ENCODERS = ("random", "autoencoder", "denoising", "vae")
MODES = ("frozen code", "frozen hidden", "fine-tuned")

LATENT_DIM = 32
NETWORK = {"widths": (16, 32, 64), "kernel_size": 3, "dense_width": 256, "activation": "relu"}
EPOCHS = {"mnist": 6, "svhn": 24}  # of training without labels
PRETRAINING_BATCH, PRETRAINING_RATE = 128, 1e-3
MASKED = 0.5  # share of the pixels that the denoising autoencoder does not see
# By the number of labels; batches are of BATCH labels.
UPDATES = {100: 300, 300: 400, 1000: 800, 10_000: 1500}
BATCH = 50
RATES = {"frozen code": 1e-2, "frozen hidden": 1e-2, "fine-tuned": 1e-3}  # Adam
