"""The model card of a preset's folder, written with its measured scores."""

import os
import pathlib
import re

from kzoo.cli import common, generate
from kzoo.evaluation.capabilities import can, conditions_of, takes, takes_pairs

NOT_RECORDED = "Not recorded."
RECONSTRUCTIONS = "reconstructions.png"
GROWTH_ROWS, GROWTH_COLUMNS = 4, 12  # of the sheet of a model that draws in steps
TRANSLATIONS = "translations.png"  # sources, translations and real images
# Pictures that some recipes write: file names and captions.
PICTURES = {
    "arithmetic.png": "Sums of faces. In each row the first less the second plus the third gives "
    "the fourth, on average latents:",
    "directions.png": "Generated faces (first column), made to smile, with glasses, as men:",
    "walk.png": "Walks from face to face, along arcs:",
    "smile.png": "Generated faces (middle column, latents of deviation .7), less and more smiling:",
    "traversals.png": "The latents with the largest KL divergence, one per row, from the average:",
}


def folder_of(args):
    """The local folder of `args.preset`.

    Raises:
        ValueError: for an address, or where there is no such folder.
        PermissionError: if the folder cannot be written to.
    """
    from kzoo.presets import PresetMixin, shipped

    preset = args.preset
    if "://" in preset:
        raise ValueError(f"--write needs a preset in a local folder, got {preset!r}")
    found = shipped.find_shipped(preset, common.class_of(args, PresetMixin))
    folder = found or pathlib.Path(preset).expanduser()
    if not folder.is_dir():
        raise ValueError(f"--write: {preset!r} is neither a folder nor a shipped preset")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"--write: the folder {str(folder)!r} is not writable")
    return folder


def remember(folder, **entries):
    """Adds entries to the `metadata.json` of a preset in a folder of this machine."""
    from kzoo.presets.sources import METADATA, LocalFiles
    from kzoo.presets.storage import write_json

    files = LocalFiles(folder)
    write_json(files.path(METADATA), {**files.read(METADATA), **entries})


def write(folder, model, scores, command, captions=None, class_histogram=None):
    """Writes `samples.png`, `README.md` and the scores in `metadata.json`.

    The samples of a class-conditional model show one class per row. A model that completes images
    also gets `completions.png`, a model of two latents `manifold.png`, and one that draws in steps
    `growth.png`. The card shows those of `PICTURES` that exist.

    The rest of the card comes from `metadata.json` (`title`, `description`, `command`, `data`,
    `notes`). If it has no title or notes, those of the existing card are kept.

    Args:
        folder: `pathlib.Path` of the preset.
        model: the preset's model.
        scores: list of `kzoo.evaluation.scores.Score`.
        command: the command that prints the scores.
        captions: strings, for the sheet of a model that needs them.
        class_histogram: of the samples, an int array `(num_classes,)`, or `None`.
    """
    from kzoo.presets import write_model_card
    from kzoo.presets.sources import METADATA, LocalFiles
    from kzoo.visualization import completion_sheet, image_grid, latent_manifold

    recorded = LocalFiles(folder).read(METADATA)
    sheet, pictures, scale = None, [], scale_of(model)
    if takes_pairs(model):
        sheet = TRANSLATIONS if (folder / TRANSLATIONS).is_file() else None
    elif can(model, "generate"):
        sheet = "samples.png"
        images, labels = generate.sheet(model, captions=captions)
        image_grid(images, columns=generate.COLUMNS, scale=scale, path=folder / sheet)
    elif (folder / RECONSTRUCTIONS).is_file():  # a recipe wrote it, of its test images
        sheet = RECONSTRUCTIONS
    if can(model, "generate", "complete"):
        chosen = slice(0, None, generate.COLUMNS)  # one of each class, where there are classes
        completion_sheet(
            model,
            images[chosen],
            labels=None if labels is None else labels[chosen],
            scale=scale,
            path=folder / "completions.png",
        )
        caption = "Samples (first column) whose lower half the model drew anew:"
        pictures.append((caption, "completions.png"))
    plane = can(model, "generate", "transform_noise") and getattr(model, "latent_dim", None) == 2
    if plane and not conditions_of(model):
        latent_manifold(model, path=folder / "manifold.png")
        caption = "Images of the two latents, squares of equal probability:"
        pictures.append((caption, "manifold.png"))
    if can(model, "generate") and takes(model, "steps"):
        pictures.append((growth_sheet(model, folder / "growth.png"), "growth.png"))
    pictures += [(text, name) for name, text in PICTURES.items() if (folder / name).is_file()]
    title = f"{type(model).__name__}, {folder.resolve().name}"
    old_title, old_notes = title_and_notes(folder / "README.md")
    write_model_card(
        folder,
        title=recorded.get("title") or old_title or title,
        description=recorded.get("description") or describe(model),
        command=recorded.get("command") or NOT_RECORDED,
        data=recorded.get("data") or NOT_RECORDED,
        notes=recorded.get("notes") or old_notes,
        scores=[(s.name, s.value, s.unit, protocol(s), command) for s in scores],
        sheet=sheet,
        pictures=pictures,
        class_histogram=class_histogram,
    )


def scale_of(model):
    """How many times as large as the images a card shows them: those of 64x64 are large enough."""
    return 1 if min(model.image_shape[:2]) >= 64 else generate.SCALE


def growth_sheet(model, path):
    """Draws images of the same latents after t = 0 to T steps, a row each; returns the caption."""
    import numpy as np

    from kzoo.visualization import image_grid

    last = model.num_steps
    times = sorted({round(k * last / (GROWTH_ROWS - 1)) for k in range(GROWTH_ROWS)})
    rows = [model.generate(GROWTH_COLUMNS, seed=0, steps=t) for t in times]
    image_grid(np.concatenate(rows), columns=GROWTH_COLUMNS, scale=scale_of(model), path=path)
    named = ", ".join(map(str, times[:-1]))
    return f"The same latents after t = {named} and {times[-1]} functional gradient steps:"


def title_and_notes(path):
    """The title and the notes of a model card, empty where it has none."""
    card = path.read_text(encoding="utf-8") if path.is_file() else ""
    title = re.match(r"# (.+)\n", card)
    notes = re.search(r"\n## Notes\n\n(.+?)\n\n## ", card, re.DOTALL)
    return title[1] if title else "", notes[1] if notes else ""


def protocol(score):
    """A score's protocol, with its deviation over seeds and the value of real images."""
    text = score.protocol
    if score.deviation is not None:
        low, high = score.interval
        text += f"; standard deviation {score.deviation:.2g} over the seeds"
        text += f", 95 % interval of the mean {low:.5g} to {high:.5g}"
    if score.reference is not None:
        text += f"; real test images {score.reference:.5g}"
    return text


def describe(model):
    """A description of a model: the first line of its documentation, and its arguments."""
    ours = {"name", "dtype", "trainable", "seed"}
    arguments = ", ".join(
        f"{name}={value}"
        for name, value in model.get_config().items()
        if name not in ours and value is not None and not isinstance(value, dict)
    )
    documentation = (type(model).__doc__ or f"A {type(model).__name__}.").strip()
    # Without a reference, such as " [1]" or " (eq. 2)": the list that it points to is not there.
    line = re.sub(r" (\[\d\]|\([^()]*\d\))\.$", ".", documentation.splitlines()[0])
    return f"{line} Constructor arguments: {arguments}."
