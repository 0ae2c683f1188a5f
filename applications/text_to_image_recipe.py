"""What the recipes of text to image share: the encoder first, then training counted in images.

Reed et al. 2016 (arXiv:1605.05396): the encoder of the captions is trained with images before the
GAN, and then stays as it is. Other encoders, with seeds of their own, judge the images drawn: they
look for their captions among others.

The GAN has the options of the recipe `gan_lsun_bedroom.py`: spectral normalization, hinge loss,
translated images, and samples from an average of the generator's weights. Its networks are those of
DCGAN, as in the paper.
"""

import keras
import numpy as np
import recipe
from growing_recipe import settle, train, without_average

import kzoo
from kzoo.models.text_to_image.vocabulary import words_of

SHOWN = 64  # captions of the sheets during training
ROW = 32  # captions of either kind in the card's sheet
CHOICE = 100  # captions among which an image's own one is looked for
JUDGES = 3  # encoders that look for it, since one finds twice as many as another


def parser(description, output, data, images, width, epochs):
    """The arguments of a recipe.

    Args:
        description: one line for `--help`.
        output: default folder of the preset.
        data: TFDS name of the images.
        images: how many images the GAN sees, by default.
        width: of the GAN's networks, by default.
        epochs: passes of each encoder over the data, by default.
    """
    arguments = recipe.parser(description, epochs, output, mixed_precision=True, data=data)
    arguments.add_argument("--images", type=int, default=images, help="seen by the GAN")
    arguments.add_argument("--width", type=int, default=width, help="of the GAN's networks")
    return arguments


def fitted_encoder(args, images, captions, name, seed):
    """A trained `kzoo.TextImageEncoder`; the file of that name keeps its weights."""
    keras.utils.set_random_seed(seed)
    encoder = kzoo.TextImageEncoder.from_captions(captions, image_shape=images.shape[1:])
    path = args.work / f"{name}.weights.h5"
    if not path.exists():
        args.work.mkdir(parents=True, exist_ok=True)
        encoder.compile()
        encoder.fit(images, captions, args.batch_size, epochs=args.epochs, verbose=2)
        encoder.save_weights(path)
    encoder.load_weights(path)
    return encoder


def build(encoder, width):
    """The compiled GAN of a recipe."""
    model = kzoo.TextToImageGAN(
        image_shape=encoder.image_shape,
        encoder=encoder,
        width=width,
        generator_loss="hinge",
        augment="translation",
        spectral_normalization=True,
        average_decay=0.999,
    )
    model.compile(
        d_optimizer=keras.optimizers.Adam(4e-4, beta_1=0.0, beta_2=0.99),
        g_optimizer=keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.99),
    )
    return model


def run(args, training, held_out, metadata, judging=None, mirror=False):
    """Trains encoder, GAN and judges; saves the GAN as a preset with a sheet and prints its scores.

    Args:
        args: what `parser` parsed.
        training, held_out: `(images, captions)` each: uint8 (n, h, w, c) and strings (n,).
        metadata: of the preset, for `save_to_preset`.
        judging: `(images, captions, text)`, what the judges are trained with, and how a score says
            so; `None` for the training images.
        mirror: whether half of the images are mirrored left to right in training.
    """
    images, captions = training
    encoder = fitted_encoder(args, images, captions, "encoder", args.seed)
    tokens = encoder.check_condition(len(captions), captions=captions)["captions"]
    images_seen = {"sources": tokens, "shown": (images[:SHOWN], tokens[:SHOWN])}

    def fit(model):
        train(args, model, images, args.images, args.work, mirror=mirror, **images_seen)

    model = recipe.train(args, lambda: build(encoder, args.width), fit)
    rng = np.random.default_rng(args.seed)
    settle(model, beside=lambda count: model.embed(tokens[rng.integers(0, len(tokens), count)]))
    model = without_average(model)
    trained_on = {"data": args.data, "split": "train", "num_images": len(images)}
    model.save_to_preset(args.output, half_precision=True, trained_on=trained_on, **metadata)
    write_card(args, model, training, understood(model, *held_out), metadata, judging)


def write_card(args, model, training, held_out, metadata, judging=None):
    """Measures a saved preset and writes its card, with a sheet of known and of new captions.

    Args:
        args: what `parser` parsed.
        model: the model of the preset `args.output`.
        training, held_out, judging: as in `run`; the held-out captions have words that the model
            knows.
        metadata: of the preset.
    """
    images, captions = training
    known = dict.fromkeys(map(str, captions))
    shown = list(known)[:: max(1, len(known) // ROW)][:ROW]
    others = list(dict.fromkeys(held_out[1]))[:ROW]
    drawn = model.generate(captions=[*shown, *others], seed=0)
    kzoo.visualization.image_grid(drawn, columns=8, scale=2, path=args.output / "samples.png")
    new = [i for i, caption in enumerate(held_out[1]) if caption not in known]
    images, captions, how = judging or (images, captions, "trained on the same images")
    judges = [
        fitted_encoder(args, images, captions, f"judge_{i}", args.seed + i)
        for i in range(1, JUDGES + 1)
    ]
    scores = list(retrieval(model, judges, *held_out, how))
    if 0 < len(new) < len(held_out[1]):
        unseen = held_out[0][new], [held_out[1][i] for i in new]
        how += "; only captions that no training image has"
        scores += retrieval(model, judges, *unseen, how, "new_caption_retrieval")
    for name, value, unit, protocol in scores:
        print(f"{name}: {value:.1f} {unit}; {protocol}")
    kzoo.presets.write_model_card(
        args.output,
        title=metadata["title"],
        description=metadata["description"],
        command=metadata["command"],
        data=metadata["data"],
        scores=[(*score, metadata["command"]) for score in scores],
        notes=f"The GAN saw {args.images:,} images. The weights of the generator are their average "
        "over training, with a decay of .999. The sheet shows captions of training images: "
        f"{'; '.join(shown)}. Then captions of images that were held out: {'; '.join(others)}.",
    )


def understood(model, images, captions):
    """The pairs whose caption has a word that the model knows."""
    known = set(model.vocabulary)
    rows = [i for i, caption in enumerate(captions) if known & set(words_of(caption))]
    return images[rows], [str(captions[i]) for i in rows]


def retrieval(model, judges, images, captions, how, score="caption_retrieval"):
    """Scores `(name, value, unit, protocol)`: how often held-out captions are found.

    Of images drawn from them, and of the real images; means over the judges. `how` says what the
    judges were trained with; `score` begins their names.
    """
    choice = min(CHOICE, len(set(captions)))
    drawn = model.generate(captions=captions, seed=0)
    for name, part in (("drawn", drawn), ("real", images)):
        shares = [
            100 * kzoo.metrics.caption_retrieval(judge, part, captions, choice) for judge in judges
        ]
        protocol = (
            f"{len(part)} {name} images of held-out captions; each looks for its caption among "
            f"{choice}, by an encoder that training did not see, {how}; mean of {len(judges)} "
            f"({', '.join(f'{share:.1f}' for share in shares)}); {100 / choice:.3g} % by chance"
        )
        yield f"{score}_{name}", np.mean(shares), "%", protocol
