"""How far exported models are from kzoo's own: largest differences, for every format of a backend.

    KERAS_BACKEND=tensorflow python benchmarks/export_agreement.py
    KERAS_BACKEND=torch python benchmarks/export_agreement.py --formats onnx --cases gan,vae

Each case is a shipped preset, or a small network with random weights where none is shipped. It is
exported, run in ONNX Runtime, LiteRT, TensorFlow or PyTorch, and compared with what kzoo computes
on the same inputs: images in grey levels, other outputs as numbers. Needs onnxruntime and
ai-edge-litert for their formats.
"""

import argparse
import importlib.util
import os
import sys
import tempfile
import time

import numpy as np

# Name: preset or class with arguments, function.
CASES = {
    "GAN mnist": ("gan/mnist", "call"),
    "GAN celeba": ("gan/celeba", "call"),
    "GAN mnist_conditional": ("gan/mnist_conditional", "call"),
    "WGANGP mnist": ("wgangp/mnist", "call"),
    "CFGGAN mnist, G_0": ("cfggan/mnist", "start"),
    "CFGGAN mnist, one step": ("cfggan/mnist", "step"),
    "CFGGAN mnist, G_15": ("cfggan/mnist", "call"),
    "VAE mnist": ("vae/mnist", "call"),
    "VAE mnist, encode": ("vae/mnist", "encode"),
    "VAE mnist, decode": ("vae/mnist", "decode"),
    "LadderVAE mnist": ("laddervae/mnist", "call"),
    "Autoencoder mnist": ("autoencoder/mnist", "call"),
    "VQVAE svhn": ("vqvae/svhn", "call"),
    "PixelCNN mnist": ("pixelcnn/mnist", "call"),
    "GatedPixelCNN mnist": ("gatedpixelcnn/mnist", "call"),
    "BEGAN celeba": ("began/celeba", "call"),
    "Pix2Pix facades": ("pix2pix/facades", "call"),
    "CycleGAN emoji": ("cyclegan/emoji", "call"),
    "LSGAN": (("LSGAN", {"image_shape": (32, 32, 1), "width": 8}), "call"),
}
# Compared on images that the model draws. Others get random values, which are far from any digit:
# they make variances overflow in LiteRT, whose softplus is log(1 + exp(x)), and the file gives NaN.
ON_SAMPLES = ("LadderVAE mnist",)
RUNTIMES = {"onnx": "onnxruntime", "litert": "ai_edge_litert"}
IMAGES = ("call", "start", "step", "decode")
NUMBERS = ("PixelCNN", "GatedPixelCNN", "PixelCNNPlusPlus", "PixelRNN")  # logits, no images


def make(source):
    """The model of a case."""
    import kzoo

    if isinstance(source, str):
        return kzoo.GenerativeModel.from_preset(source)
    name, arguments = source
    return shaken(getattr(kzoo, name)(**arguments))


def shaken(model, seed=0):
    """A model with other random weights: those of a new model give images that are nearly black."""
    rng = np.random.default_rng(seed)
    for v in model.variables:
        if "float" in str(v.dtype) and "seed" not in v.path:
            size = 1.5 / np.sqrt(max(1, np.prod(v.shape[:-1]))) if len(v.shape) > 1 else 0.2
            values = rng.normal(0, size, v.shape)
            v.assign(1 + np.abs(values) if "variance" in v.path or "gamma" in v.path else values)
    return model


def inputs_of(specs, count, seed=0):
    """NumPy values for `keras.InputSpec`s: latents and images, labels, tokens, codes."""
    rng = np.random.default_rng(seed)
    values = []
    for spec in specs:
        shape = (count, *spec.shape[1:]) if spec.shape else ()
        if "int" in spec.dtype:
            values.append(np.asarray(rng.integers(0, 3 if shape else 2, shape), spec.dtype))
        elif len(shape) == 4:
            values.append(rng.uniform(-1, 1, shape).astype("float32"))
        else:
            values.append(rng.normal(size=shape).astype("float32"))
    return values


def run_file(path, format, given):
    """What an exported file computes for given inputs, in the runtime of its format."""
    if format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return session.run(None, {i.name: x for i, x in zip(session.get_inputs(), given)})[0]
    if format == "litert":
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(path)
        details = sorted(interpreter.get_input_details(), key=lambda each: each["name"])
        for each, x in zip(details, given):
            interpreter.resize_tensor_input(each["index"], x.shape)
        interpreter.allocate_tensors()
        for each, x in zip(details, given):
            interpreter.set_tensor(each["index"], x)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    if format == "tf_saved_model":
        import tensorflow as tf

        loaded = tf.saved_model.load(path)  # kept, for its variables go with it
        return np.asarray(loaded.serve(given if len(given) > 1 else given[0]))
    import torch

    tensors = [torch.from_numpy(x) for x in given]
    program = torch.export.load(path).module()
    return program(tensors if len(tensors) > 1 else tensors[0]).detach().numpy()


def difference(model, function, format, count=8, on_samples=False, **options):
    """The largest difference between the exported file and kzoo, and its share of values above 1.

    Returns:
        `(largest, share)`, in grey levels for images. `ValueError` or `RuntimeError` if there is no
        such export.
    """
    from keras import ops

    from kzoo import backend
    from kzoo.paths import SUFFIXES

    compute, specs = model.exports()[function]
    count = model.fixed_batch or count
    if backend.EXPORTED_BATCH:
        options.setdefault("batch_size", count)
    given = inputs_of(specs, count)
    if on_samples:
        given[0] = model.generate(count, seed=0).astype("float32") / 127.5 - 1.0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"model{SUFFIXES[format]}")
        model.export(path, format, verbose=False, function=function, **options)
        found = run_file(path, format, given)
    expected = ops.convert_to_numpy(compute(*map(ops.convert_to_tensor, given)))
    if found.shape != expected.shape:
        raise ValueError(f"the file gives {found.shape}, kzoo {expected.shape}")
    is_image = function in IMAGES and type(model).__name__ not in NUMBERS
    off = np.abs(found - expected) * (127.5 if is_image else 1.0)
    return float(off.max()), float(np.mean(off > 1))


def parse(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--formats", default="onnx,litert,tf_saved_model,torch")
    parser.add_argument("--cases", default="", help="only those whose name has one of these words")
    return parser.parse_args(argv)


def main(argv=None):
    args = parse(argv)
    from kzoo import backend

    formats = [name for name in args.formats.split(",") if name in backend.EXPORTS]
    formats = [name for name in formats if importlib.util.find_spec(RUNTIMES.get(name, "keras"))]
    print(f"| Model | {' | '.join(formats)} |\n|{' --- |' * (1 + len(formats))}")
    words = args.cases.lower().split(",")
    for name, (source, function) in CASES.items():
        if not any(word in name.lower() for word in words):
            continue
        cells = []
        for format in formats:
            start = time.perf_counter()
            try:
                largest, share = difference(
                    make(source), function, format, on_samples=name in ON_SAMPLES
                )
                cells.append(f"{largest:.2g}" + (f" ({share:.2%} above 1)" if largest > 1 else ""))
            except Exception as error:  # a row of the table: every runtime has errors of its own
                cells.append("-")
                print(f"{name}, {format}: {str(error)[:300]!r}", file=sys.stderr)
            seconds = time.perf_counter() - start
            print(f"{name}, {format}: {cells[-1]}, {seconds:.0f} s", file=sys.stderr, flush=True)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
