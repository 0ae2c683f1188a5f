"""One xICFG stage of the authors' PyTorch code (riejohnson/cfg-gan-pt), for `cfg_stage.py`.

Nothing of that code is here: it is imported from a checkout. The stand-ins below were written for
this benchmark, for the names that it takes from packages that need not be installed for it.
"""

import importlib
import importlib.util
import os
import sys
import types
from datetime import UTC


def stages(settings, images, path):
    """A function that sets the authors' code up and returns a function that runs one stage.

    A stage is `DDG.icfg` and `DDG.approximate`, as their training loop calls them, with the
    settings that their command line has for MNIST and SVHN.

    Args:
        settings: dict of arguments of `kzoo.CFGGAN`; square images.
        images: uint8 images (n, h, w, c).
        path: the checkout.
    """
    import torch

    provide_missing_modules()
    sys.path.insert(0, str(path))
    sys.stdout = open(os.devnull, "w")  # their log
    cfggan, netdef = (importlib.import_module(name) for name in ("cfggan", "netdef"))

    side, _, channels = settings["image_shape"]
    latent_dim, width, batch_size, pool_size = (
        settings[name] for name in ("latent_dim", "width", "batch_size", "pool_size")
    )
    depth = side.bit_length() - 3  # halvings down to a side of 4
    options = types.SimpleNamespace(
        cfg_T=settings["num_steps"],
        cfg_eta=settings["step_size"],
        cfg_x_epo=settings["approximator_epochs"],
        batch_size=batch_size,
        optim_type="RMSprop",
        optim_a1=0.95,
        optim_a2=-1,
        optim_eps=1e-18,
        lr=2.5e-4,
        weight_decay=0.0,
        approx_redmax=3,
        approx_decay=0.1,
        verbose=False,
    )
    real = (torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1.0).contiguous()
    examples = torch.utils.data.TensorDataset(real, torch.zeros(len(real)))
    loader = torch.utils.data.DataLoader(examples, batch_size, shuffle=True, drop_last=True)

    def discriminator(requires_grad):
        return netdef.dcganx_D(width, side, channels, "bn", requires_grad, depth=depth)

    def approximator(requires_grad):
        return netdef.dcganx_G(latent_dim, width, side, channels, "bn", requires_grad, depth=depth)

    def latents(count):
        return torch.randn(count, latent_dim)

    def build():
        optimizers = cfggan.OptimConfig(options)
        ddg = cfggan.DDG(options, discriminator, approximator, latents, optimizers)
        ddg.initialize_G(cfggan.g_loss_dflt, pool_size)
        batches = None

        def stage():
            nonlocal batches
            updates = settings["discriminator_steps"]
            batches, _ = ddg.icfg(loader, batches, cfggan.d_loss_dflt, updates)
            ddg.approximate(cfggan.g_loss_dflt, pool_size)

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
    packages = {name.split(".")[0] for name in STAND_INS}
    missing = {name for name in packages if importlib.util.find_spec(name) is None}
    for name, content in STAND_INS.items():
        if name.split(".")[0] in missing:
            module = types.ModuleType(name)
            vars(module).update(content)
            sys.modules[name] = module
