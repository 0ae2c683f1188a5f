"""What `cfg_study.py` compares: data sets, networks, methods and their settings.

Johnson, Zhang 2018, arXiv:1801.06309, section 4. A run is described by one dict of JSON types,
`run_config`, which is written to its folder and is all that `cfg_study_runs.py` reads.
"""

import pathlib

BATCH_SIZE, LATENT_DIM = 64, 100
EARLY = (1 / 32, 1 / 16, 1 / 8)  # shares of the time at which every run is scored besides

METHODS = {
    "xicfg": "xICFG",
    "gan0": "GAN0",
    "gan1": "GAN1",
    "wgan_gp": "WGAN-GP",
    "authors": "xICFG (the authors' code)",  # last, and only with --authors
}
GROWN = ("xicfg", "authors")  # their generator is an approximator and T steps
NETWORKS = {"convolutional": "dcgan", "fully_connected": "fully_connected"}  # of the generator

# TFDS name, split, options of kzoo.datasets.load, Classifier preset, width of the networks.
DATA = {
    "mnist": ("mnist", "train", {"pad_to": 32}, "mnist", 32),
    "svhn": ("svhn_cropped", "train", {}, "svhn", 64),
    "lsun_bedroom": ("lsun/bedroom", "train", {"image_size": 64}, "rooms", 64),
}


def adam(learning_rate, **options):
    return {"class_name": "Adam", "config": {"learning_rate": learning_rate, **options}}


def rmsprop(learning_rate):
    """RMSprop as the authors of xICFG use it; epsilon stands inside of the square root."""
    options = {"learning_rate": learning_rate, "rho": 0.95, "epsilon": 1e-37}
    return {"class_name": "RMSprop", "config": options}


# xICFG by network: arguments of kzoo.CFGGAN, and the optimizer of both of its networks. Steps are
# shorter, the pool smaller, the epochs fewer than in the paper (eta=.5, N=640, 10 epochs, RMSprop
# at 2.5e-4), whose settings do not leave the start, where the discriminator wins, in minutes of a
# CPU.
XICFG = {
    "convolutional": {
        "num_steps": 15,
        "step_size": 0.25,
        "pool_size": 320,
        "approximator_epochs": 4,
        "restart_optimizer": False,
        "optimizer": adam(2e-4, beta_1=0.5),
    },
    "fully_connected": {
        "num_steps": 15,
        "step_size": 0.25,
        "pool_size": 320,
        "approximator_epochs": 10,
        "restart_optimizer": False,
        "optimizer": adam(2e-4, beta_1=0.5),
    },
}
# What differs from that on other data sets.
XICFG_BY_DATA = {
    "svhn": {"convolutional": {"step_size": 0.25}, "fully_connected": {"step_size": 0.25}},
    "lsun_bedroom": {"convolutional": {"step_size": 0.5}, "fully_connected": {"step_size": 0.5}},
}

# The others: class in kzoo, its arguments, the optimizer of both networks. DCGAN's Adam
# (arXiv:1511.06434), and that of Algorithm 1 of WGAN-GP (arXiv:1704.00028).
OTHERS = {
    "gan0": ("GAN", {"generator_loss": "minimax"}, adam(2e-4, beta_1=0.5)),
    "gan1": ("GAN", {"generator_loss": "non_saturating"}, adam(2e-4, beta_1=0.5)),
    "wgan_gp": (
        "WGANGP",
        {"penalty_weight": 10.0, "discriminator_steps": 5},
        adam(1e-4, beta_1=0.0, beta_2=0.9),
    ),
}
# What the command line of the authors' code gives to PyTorch's RMSprop, of both networks. Of these
# its options can change the learning rate alone.
AUTHORS_OPTIMIZER = {
    "class_name": "RMSprop",
    "config": {"learning_rate": 2.5e-4, "alpha": 0.95, "eps": 1e-18},
}
# GAN0 and GAN1 as section 4 of the paper trains them, by network (--gan-optimizer rmsprop).
GAN_RMSPROP = {"convolutional": rmsprop(2.5e-4), "fully_connected": rmsprop(1e-4)}


def settings(method, network, data, gan_optimizer="adam"):
    """Class in kzoo ("cfg-gan-pt" for the authors' code), arguments and optimizer of a method.

    Args:
        method, network, data: of `METHODS`, `NETWORKS` and `DATA`.
        gan_optimizer: of GAN0 and GAN1, "adam" or "rmsprop".

    Returns:
        dict of `"model"`, `"arguments"` and `"optimizer"`.
    """
    if method in GROWN:
        arguments = {**XICFG[network], **XICFG_BY_DATA.get(data, {}).get(network, {})}
        optimizer = arguments.pop("optimizer")
        arguments["batch_size"] = BATCH_SIZE
        arguments["approximator"] = NETWORKS[network]
        model = "CFGGAN"
        if method == "authors":
            for name in ("restart_optimizer", "approximator"):
                del arguments[name]  # not theirs
            arguments["discriminator_steps"] = 1
            model, optimizer = "cfg-gan-pt", AUTHORS_OPTIMIZER
    else:
        model, arguments, optimizer = OTHERS[method]
        arguments = {**arguments, "pointwise": True, "generator": NETWORKS[network]}
        if model == "GAN" and gan_optimizer == "rmsprop":
            optimizer = GAN_RMSPROP[network]
    return {"model": model, "arguments": arguments, "optimizer": optimizer}


def run_config(
    method,
    network,
    data,
    seed,
    *,
    minutes,
    evaluations=8,
    num_samples=10_000,
    curve_samples=2560,
    width=None,
    source=None,
    classifier=None,
    clock="process",
    threads=None,
    mixed_precision=False,
    gan_optimizer="adam",
    backend="tensorflow",
):
    """All that a run depends on.

    Args:
        method, network, data, seed: which run.
        minutes: of updates.
        evaluations: how many points of the curve, at equal distances in time; those of `EARLY` come
            in addition.
        num_samples, curve_samples: images drawn for the scores at the end, and before it.
        width: of the convolutional networks next to the image; that of `DATA` if None.
        source: a .npz or .npy file of images; the data set of TFDS if None.
        classifier: name or folder of a Classifier preset; that of `DATA` if None.
        clock: "process" or "wall", see `kzoo.callbacks.TimeLimit`.
        threads: of the process; None for no limit.
        mixed_precision: whether to train in bfloat16; the authors' code stays in float32.
        gan_optimizer: see `settings`.
        backend: of Keras; the authors' code has PyTorch.

    Returns:
        dict of JSON types.
    """
    name, split, _, preset, default_width = DATA[data]
    if method == "authors":
        mixed_precision, backend = False, "torch"
    return {
        "data": data,
        "network": network,
        "method": method,
        "seed": seed,
        "source": source or f"TFDS {name}, {split}",
        "classifier": classifier or preset,
        "minutes": minutes,
        "points": sorted({*EARLY, *((k + 1) / evaluations for k in range(evaluations))}),
        "num_samples": num_samples,
        "curve_samples": curve_samples,
        "width": width or default_width,
        "clock": clock,
        "threads": threads,
        "precision": "mixed_bfloat16" if mixed_precision else "float32",
        "backend": backend,
        **settings(method, network, data, gan_optimizer),
    }


def run_name(config):
    """The name of a run's folder."""
    return "{data}-{network}-{method}-seed{seed}".format(**config)


def check_checkout(path):
    """Raises a `ValueError` if a path is not a checkout of the authors' code."""
    if path is None or not (pathlib.Path(path) / "cfggan.py").is_file():
        raise ValueError(f"--authors must be a checkout with cfggan.py, got {path}.")
