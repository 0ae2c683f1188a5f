"""Do recipes reproduce? Replays the first updates of every recipe and compares the weights.

    KERAS_BACKEND=torch python -m tests.replay                       # every recipe
    KERAS_BACKEND=torch python -m tests.replay vae_mnist gan_svhn    # some of them
    KERAS_BACKEND=torch python -m tests.replay --update              # writes tests/replay.json
    KERAS_BACKEND=torch python -m tests.replay vae_mnist --updates 200  # longer, nothing stored

A recipe is started by its command on its preset's card, with nothing but other folders for its
files; where the card calls it again, to go on, the first call counts. It gets the real data
(`TFDS_DATA_DIR`), its own schedule and its own seed, and is ended after `UPDATES` updates; a CFGGAN
after `STAGES` stage. A recipe that trains in several parts gets as many updates in each of them.
The checksum is 16 digits of the SHA-256 of all weights, as float32, at the end of every part.

Every recipe runs twice, in fresh processes: the same seed on the same machine must give the same
bits. Then the checksum is compared with that of `tests/replay.json`, which is stored for a backend
with its version, Keras's version, and a kind of processor. Bits do not travel further than that:
libraries choose their code by the processor's model and instructions, and so the order in which
numbers are added. That order also depends on the number of threads, so all updates are computed on
one thread. On an AMD EPYC with AVX-512 and PyTorch 2.13, autoencoder_mnist has another checksum
with two threads, and with the instructions of an AVX2 processor. `--here` prints that of this
process:

    OMP_NUM_THREADS=1 KERAS_BACKEND=torch python -m tests.replay autoencoder_mnist --here
    OMP_NUM_THREADS=2 KERAS_BACKEND=torch python -m tests.replay autoencoder_mnist --here
    ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 ATEN_CPU_CAPABILITY=avx2 \\
        OMP_NUM_THREADS=1 KERAS_BACKEND=torch python -m tests.replay autoencoder_mnist --here
"""

import argparse
import hashlib
import importlib.metadata
import json
import os
import platform
import runpy
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
STORED = Path(__file__).with_name("replay.json")
UPDATES = 5
STAGES = 1  # of a CFGGAN, which is hundreds of updates
#: Recipes that call `fit` more than once before they save.
PARTS = {
    "cfggan_svhn": 2,  # without and with augmentation
    "gan_celeba": 2,  # 32x32, then 64x64
    "gan_lsun_bedroom": 2,
    "text_to_image_emoji": 2,  # the encoder of captions, then the GAN
    "text_to_image_flowers": 2,
    "vqvae_svhn": 2,  # the networks, then the prior
}
#: Recipes without a preset in `weights/`, with their default arguments.
UNSHIPPED = (
    "cfggan_mnist_fc",
    "gan_cifar10_conditional",
    "pix2pix_emoji",
)
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    **dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "MPLBACKEND": "Agg",
}
PACKAGES = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax",), "torch": ("torch",)}
INSTRUCTIONS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "asimd")  # the best ones first


def lines():
    """`(preset, script, arguments)` of every line of every card's command."""
    for path in sorted(REPOSITORY.glob("weights/*/*/metadata.json")):
        command = json.loads(path.read_text(encoding="utf-8"))["command"]
        for line in command.splitlines():
            words = shlex.split(line)
            script = next(i for i, word in enumerate(words) if word.startswith("applications/"))
            yield "/".join(path.parts[-3:-1]), words[script], words[script + 1 :]


def commands():
    """`{name: [script, *arguments]}` of every recipe.

    Of a card with several lines, the recipe is the script of the last one, and its arguments are
    those with which it is called first. A recipe of two presets has a name for each.
    """
    last = {preset: script for preset, script, _ in lines()}
    first = {}
    for preset, script, arguments in lines():
        if script == last[preset]:
            first.setdefault(preset, [script, *arguments])
    scripts = [command[0] for command in first.values()]
    named = {}
    for preset, command in first.items():
        name = Path(command[0]).stem
        twice = scripts.count(command[0]) > 1
        named[f"{name}:{preset.rpartition('/')[2]}" if twice else name] = command
    return {**named, **{name: [f"applications/{name}.py"] for name in UNSHIPPED}}


def processor():
    """The kind of this processor: vendor, family, model, and its widest vector instructions."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0]
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    facts = {
        key.strip(): value.strip()
        for key, _, value in (s.partition(":") for s in text.splitlines())
    }
    flags = facts.get("flags", facts.get("Features", "")).split()
    widest = next((name for name in INSTRUCTIONS if name in flags), "none")
    vendor = facts.get("vendor_id", facts.get("CPU implementer", platform.machine()))
    family = facts.get("cpu family", facts.get("CPU architecture", "?"))
    model = facts.get("model", facts.get("CPU part", "?"))
    return f"{vendor}, family {family}, model {model}, {widest}"


def versions(backend):
    """The backend and Keras with their versions, such as "torch 2.13.0, keras 3.15.1"."""
    for package in PACKAGES[backend]:
        try:
            found = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
        return f"{backend} {found}, keras {importlib.metadata.version('keras')}"
    raise ValueError(f"backend {backend!r} is not installed.")


def replay_here(name, updates=None):
    """The checksum of a recipe's first updates, computed in this process."""
    import keras
    import numpy as np

    import kzoo

    class Enough(Exception):
        pass

    class Stop(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            few = STAGES if isinstance(self.model, kzoo.CFGGAN) else UPDATES
            self.left = updates or few

        def on_train_batch_end(self, batch, logs=None):
            self.left -= 1
            if self.left == 0:
                for weight in self.model.weights:
                    array = np.asarray(keras.ops.convert_to_numpy(weight), "float32")
                    checksum.update(array.tobytes())
                raise Enough

    checksum, parts, fit = hashlib.sha256(), [], keras.Model.fit

    def fit_a_little(model, *arguments, callbacks=None, **options):
        try:
            fit(model, *arguments, callbacks=[*(callbacks or ()), Stop()], **options)
        except Enough:
            parts.append(model)
        if len(parts) == PARTS.get(name, 1):
            raise Enough

    script, *arguments = commands()[name]
    saved = sys.argv, sys.path[:], keras.config.dtype_policy()
    keras.Model.fit = fit_a_little
    try:
        with tempfile.TemporaryDirectory() as folder:
            sys.argv = [script, *arguments, "--work", f"{folder}/work", "--output", f"{folder}/out"]
            sys.path.insert(0, str(REPOSITORY / "applications"))
            try:
                runpy.run_path(str(REPOSITORY / script), run_name="__main__")
            except Enough:
                return checksum.hexdigest()[:16]
    finally:
        keras.Model.fit = fit
        sys.argv, sys.path[:] = saved[:2]
        keras.config.set_dtype_policy(saved[2])
    raise ValueError(f"{script} ended after {len(parts)} parts, expected {PARTS.get(name, 1)}.")


def replay(name, updates=None):
    """The checksum of a recipe's first updates, computed on one thread of a fresh process."""
    command = [sys.executable, "-m", "tests.replay", name, "--here"]
    if updates:
        command += ["--updates", str(updates)]
    done = subprocess.run(
        command, cwd=REPOSITORY, env={**os.environ, **ONE_THREAD}, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError("\n".join(done.stderr.strip().splitlines()[-3:]))
    return done.stdout.split()[-1]


def stored(backend):
    """`{name: checksum}` for this backend, its version and this kind of processor."""
    every = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    return every.get(versions(backend), {}).get(processor(), {})


def store(backend, checksums):
    """Adds checksums to the stored ones."""
    every = json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}
    here = every.setdefault(versions(backend), {}).setdefault(processor(), {})
    here.update(checksums)
    STORED.write_text(json.dumps(every, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def verdict(name, updates, known, updating):
    """`(text, checksum)`; the checksum is None where the recipe failed or is not deterministic."""
    try:
        first, second = replay(name, updates), replay(name, updates)
    except RuntimeError as error:
        return f"FAILED: {error}", None
    if first != second:
        return f"DIFFERS between two runs: {first}, {second}", None
    if updates or updating:
        return f"twice {first}", first
    if name not in known:
        return f"twice {first}; no checksum stored for this processor", first
    if known[name] != first:
        return f"DIFFERS from the stored {known[name]}: twice {first}", None
    return f"twice {first}, as stored", first


def main():
    parser = argparse.ArgumentParser(
        prog="python -m tests.replay", description="Replays the first updates of recipes."
    )
    parser.add_argument("names", nargs="*", metavar="name", help="recipes; by default all")
    parser.add_argument("--update", action="store_true", help="write the checksums")
    parser.add_argument("--updates", type=int, help="of each part; compares two runs only")
    parser.add_argument("--here", action="store_true", help="of one recipe, once, in this process")
    args = parser.parse_args()
    names = args.names or list(commands())
    for name in names:
        if name not in commands():
            parser.error(f"unknown recipe {name!r}, expected some of {', '.join(commands())}")
    if args.here:
        print(replay_here(*names, args.updates))
        return 0

    from kzoo._environment import configured_backend

    backend = configured_backend()
    print(f"{versions(backend)}; {processor()}; one thread", flush=True)
    known = stored(backend)
    failed = []
    for name in names:
        start = time.monotonic()
        text, checksum = verdict(name, args.updates, known, args.update)
        print(f"{name}: {text} ({time.monotonic() - start:.0f} s)", flush=True)
        if checksum is None:
            failed.append(name)
        elif args.update and not args.updates:
            store(backend, {name: checksum})
    print(
        f"{len(names) - len(failed)} of {len(names)} reproduce"
        + ("" if not failed else ": not " + ", ".join(failed))
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
