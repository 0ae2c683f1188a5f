"""Pictures of a preset on a terminal."""

import pathlib

# Those that show best what a model does come first.
NAMES = ("samples.png", "translations.png", "reconstructions.png", "manifold.png", "growth.png")
PART = (0, 0, 0.5, 0.25)  # left, top, right, bottom of the part that is shown
WIDTH = 100  # columns at most


def of_preset(files):
    """The paths of a preset's pictures, if its files lie on this machine; sorted, best first."""
    if files.is_remote:
        return []
    folder = pathlib.Path(files.location)
    found = sorted(path.name for path in folder.glob("*.png"))
    best = [name for name in NAMES if name in found]
    return [folder / name for name in [*best, *(n for n in found if n not in best)]]


def drawn(path, width):
    """The upper left part of a sheet as text in colours: two pixels, one above the other, a letter.

    Args:
        path: of the .png file.
        width: columns of the terminal.

    Returns:
        `rich.text.Text`.
    """
    from PIL import Image
    from rich.text import Text

    with Image.open(path) as image:
        box = [round(share * side) for share, side in zip(PART, image.size * 2)]
        part = image.convert("RGB").crop(box)
    columns = min(width, WIDTH, part.width)
    rows = 2 * max(1, round(columns * part.height / part.width / 2))
    part = part.resize((columns, rows), Image.Resampling.BOX)
    text = Text(no_wrap=True)
    for y in range(0, rows, 2):
        for x in range(columns):
            above, below = ("rgb({},{},{})".format(*part.getpixel((x, y + k))) for k in (0, 1))
            text.append("▀", f"{above} on {below}")
        text.append("\n")
    return text
