"""The last section of the report of `cfg_study.py`: how the runs were trained and scored."""

from cfg_study_folders import group_of, groups
from cfg_study_settings import METHODS
from cfg_study_tables import markdown

AUTHORS = (
    "The authors' code is riejohnson/cfg-gan-pt on PyTorch, called as its own training loop calls "
    "it, in float32. Its networks have the same layers and start from its own random numbers. T, "
    "the step size, N, the epochs and the mini-batches are those of xICFG here; the optimizer is "
    "the one of its command line, which starts anew for every fit of the approximator. Every "
    "update of the discriminator draws fresh latents. Images are held in memory. Its samples are "
    "drawn before the approximator is fitted to G_T, and those of xICFG here after it."
)


def protocol_section(runs):
    finished = [run for run in runs if run["final"]]
    rows = []
    for (data,), members in groups(runs, 1).items():

        def values(read, members=members):
            return "; ".join(dict.fromkeys(str(read(run)) for run in members))

        rows.append(
            [
                data,
                values(lambda run: run["config"]["source"]),
                values(lambda run: f"{run['config']['minutes']:g}"),
                values(lambda run: run["config"]["width"]),
                values(lambda run: run["config"]["classifier"]),
                values(lambda run: f"{run['config']['curve_samples']:,}"),
                values(lambda run: f"{run['config']['num_samples']:,}"),
                values(lambda run: run["config"]["precision"]),
                values(lambda run: run["config"]["clock"]),
                values(lambda run: run["config"]["threads"] or "no limit"),
                values(lambda run: run["config"]["backend"]),
            ]
        )
    header = ["data", "images", "minutes", "width", "classifier", "images scored on the way"]
    header += ["at the end", "precision", "clock", "threads", "backend"]
    machines = dict.fromkeys(
        ", ".join(f"{k} {v}" for k, v in run["final"]["machine"].items()) for run in finished
    )
    described = {}
    for run in finished:
        data, network, method = group_of(run)
        config = run["config"]
        text = (described_settings(config), described_optimizer(config))
        key = (network.replace("_", " "), METHODS[method], *text)
        described.setdefault(key, []).append(data)
    settings = [
        [network, method, ", ".join(dict.fromkeys(data)), text, optimizer]
        for (network, method, text, optimizer), data in described.items()
    ]
    return "\n\n".join(
        [
            "Networks: those of DCGAN, with the paper's 1x1 convolutions and the same width for "
            "all methods. A fully connected generator has two layers of 512 units; its "
            "discriminator is the convolutional one. The convolutional networks have batch "
            "norm, except for WGAN-GP's critic. They start from N(0, .01^2) for xICFG and from "
            "DCGAN's N(0, .02^2) for the other methods. The fully connected generator starts "
            "from N(0, .01^2). Latents are N(0, I) of length 100, and mini-batches have 64 "
            "images. There are no latent codes, no decay of the learning rate and no averages "
            "of weights.",
            "Only updates count as training time. This includes the approximator's "
            "initialization, and the compilation at the first update. It does not include "
            "drawing and scoring images. The process clock is the processor time of the run's "
            "process, over all of its threads.",
            "Scores are measured with the Classifier preset, on images clipped to [-1, 1], from "
            "seed 0, in one split. More images are scored at the end than on the way, and in "
            "float32. A Frechet distance of fewer images is larger. A mean over seeds at a "
            "point in time is that of the runs that reached it.",
            *([AUTHORS] if any(group_of(run)[2] == "authors" for run in finished) else []),
            markdown(header, rows),
            "\n".join(f"* {machine}" for machine in machines),
            markdown(["network", "method", "data", "arguments", "optimizer of both"], settings),
        ]
    )


def described_settings(config):
    return ", ".join(f"{k}={v!r}" for k, v in config["arguments"].items())


def described_optimizer(config):
    options = ", ".join(f"{k}={v:g}" for k, v in config["optimizer"]["config"].items())
    return f"{config['optimizer']['class_name']}({options})"
