"""xICFG by the authors' PyTorch code (riejohnson/cfg-gan-pt), for `cfg_stage.py` and the CFG study.

Nothing of that code is here: it is imported from a checkout. The stand-ins below were written for
this benchmark, for the names that it takes from packages that need not be installed for it.
"""

import importlib
import importlib.util
import os
import sys
import types
from datetime import UTC


class Training:
    """The authors' xICFG: a `DDG` of their code, made and trained as their `cfggan.cfggan` does it.

    The images are held in memory as floats. Networks are those that their command line has for
    MNIST and SVHN, and so is the optimizer of both, RMSprop, by default.

    Args:
        settings: dict of arguments of `kzoo.CFGGAN`; square images.
        images: uint8 images (n, h, w, c).
        path: the checkout.
        learning_rate, alpha, eps: of PyTorch's RMSprop.
    """

    def __init__(self, settings, images, path, learning_rate=2.5e-4, alpha=0.95, eps=1e-18):
        import torch

        provide_missing_modules()
        if str(path) not in sys.path:
            sys.path.insert(0, str(path))
        self.code, self.networks = (importlib.import_module(n) for n in ("cfggan", "netdef"))
        self.settings = settings
        self.options = types.SimpleNamespace(
            cfg_T=settings["num_steps"],
            cfg_eta=settings["step_size"],
            cfg_x_epo=settings["approximator_epochs"],
            batch_size=settings["batch_size"],
            optim_type="RMSprop",
            optim_a1=alpha,
            optim_a2=-1,
            optim_eps=eps,
            lr=learning_rate,
            weight_decay=0.0,
            approx_redmax=3,
            approx_decay=0.1,
            verbose=False,
        )
        real = (torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1.0).contiguous()
        examples = torch.utils.data.TensorDataset(real, torch.zeros(len(real)))
        self.loader = torch.utils.data.DataLoader(
            examples, settings["batch_size"], shuffle=True, drop_last=True
        )

    def begin(self):
        """Makes the networks and fits the approximator to its start."""
        import torch

        latent_dim, width, (side, _, channels) = (
            self.settings[name] for name in ("latent_dim", "width", "image_shape")
        )
        last = (width, side, channels, "bn")
        depth = side.bit_length() - 3  # halvings down to a side of 4

        def discriminator(requires_grad):
            return self.networks.dcganx_D(*last, requires_grad, depth=depth)

        def approximator(requires_grad):
            return self.networks.dcganx_G(latent_dim, *last, requires_grad, depth=depth)

        def latents(count):
            return torch.randn(count, latent_dim)

        optimizers = self.code.OptimConfig(self.options)
        self.ddg = self.code.DDG(self.options, discriminator, approximator, latents, optimizers)
        self.ddg.initialize_G(self.code.g_loss_dflt, self.settings["pool_size"])
        self.batches = None

    def grow(self):
        """T functional gradient steps, with U discriminator updates before each."""
        updates = self.settings["discriminator_steps"]
        self.batches, _ = self.ddg.icfg(self.loader, self.batches, self.code.d_loss_dflt, updates)

    def approximate(self):
        """Fits the approximator to G_T."""
        self.ddg.approximate(self.code.g_loss_dflt, self.settings["pool_size"])


def stages(settings, images, path):
    """A function that sets the authors' code up and returns a function that runs one stage.

    Args:
        settings, images, path: see `Training`.
    """
    sys.stdout = open(os.devnull, "w")  # their log
    training = Training(settings, images, path)

    def build():
        training.begin()

        def stage():
            training.grow()
            training.approximate()

        return stage

    return build


class AverageValueMeter:
    """`torchnet.meter.AverageValueMeter`, without the deviation."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.total, self.count = 0.0, 0

    def add(self, value):
        self.total, self.count = self.total + value, self.count + 1

    def value(self):
        return self.total / self.count, None


class NestedDict:
    """`nested_dict.nested_dict` of a dictionary of dictionaries, for its `items_flat`."""

    def __init__(self, content):
        self.content = content

    def items_flat(self):
        for key, value in self.content.items():
            if isinstance(value, dict):
                for keys, leaf in NestedDict(value).items_flat():
                    yield (key, *keys), leaf
            else:
                yield (key,), value


def save_image(*args, **kwargs):
    """`torchvision.utils.save_image`, which a stage does not call."""
    raise NotImplementedError


STAND_INS = {
    "torchnet": {"meter": types.SimpleNamespace(AverageValueMeter=AverageValueMeter)},
    "torchvision": {},
    "torchvision.utils": {"save_image": save_image},
    "nested_dict": {"nested_dict": NestedDict},
    "pytz": {"timezone": lambda name: UTC},
}


def provide_missing_modules():
    """Puts a stand-in where the import would fail."""
    packages = {name.split(".")[0] for name in STAND_INS} - set(sys.modules)
    missing = {name for name in packages if importlib.util.find_spec(name) is None}
    for name, content in STAND_INS.items():
        if name.split(".")[0] in missing:
            module = types.ModuleType(name)
            vars(module).update(content)
            sys.modules[name] = module
