"""Presets on the Hugging Face Hub: uploading, and the card in the hub's format."""

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from kzoo.presets.sources import CONFIG, HUB_NAME, METADATA, LocalFiles, hub_client, short
from kzoo.presets.storage import finish

#: The hub's names of what models do; the others draw images from noise.
_TASKS = {
    "Classifier": "image-classification",
    "CycleGAN": "image-to-image",
    "Pix2Pix": "image-to-image",
    "TextToImageGAN": "text-to-image",
    "Autoencoder": "image-feature-extraction",
}
_DRAWS = "unconditional-image-generation"


def push_folder(
    folder: str | Path,
    repository: str,
    *,
    private: bool = False,
    token: str | None = None,
    license: str | None = None,
    message: str = "Preset of kzoo",
) -> str:
    """Uploads a preset's folder to the Hugging Face Hub, with its pictures and its card.

    The card is the folder's `README.md`, or a short one where there is none. It gets the hub's
    header: library, task, tags and licence. The folder itself stays as it is.

    Args:
        folder: of a preset, as `save_to_preset` writes it.
        repository: "user/name" or "organization/name". It is made if it does not exist.
        private: whether a repository that is made is private.
        token: of the hub; by default that of `hf auth login`.
        license: the hub's name of the weights' licence, such as "apache-2.0".
        message: of the commit.

    Returns:
        The address for `from_preset`, "hf://user/name".

    Raises:
        ValueError: for a malformed name.
        FileNotFoundError: if the folder holds no preset.
        ImportError: if the package huggingface_hub is not installed.
        ConnectionError: if the hub cannot be reached, or refuses.
    """
    if not re.fullmatch(f"{HUB_NAME}/{HUB_NAME}", repository):
        raise ValueError(f"Expected a repository such as 'user/name', got {short(repository)!r}.")
    hub = hub_client()
    files = LocalFiles(folder)
    finish(files.folder)
    config, metadata = files.read(CONFIG), files.read(METADATA)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "preset"
        shutil.copytree(files.folder, copy, ignore=shutil.ignore_patterns(".*"))
        card = card_of(config["class_name"], metadata, repository, license, copy / "README.md")
        (copy / "README.md").write_text(card, encoding="utf-8")
        try:
            client = hub.HfApi(token=token)
            client.create_repo(repository, private=private, exist_ok=True)
            client.upload_folder(repo_id=repository, folder_path=copy, commit_message=message)
        except Exception as error:  # the client has its own errors
            raise ConnectionError(
                f"Could not upload to hf://{repository}: {short(error)} Check the name, the "
                "connection, and that `hf auth login` was done."
            ) from error
    return f"hf://{repository}"


def card_of(
    class_name: str, metadata: dict[str, Any], repository: str, license: str | None, readme: Path
) -> str:
    """The text of a card: the hub's header, how to load the model, then the folder's own card.

    Args:
        class_name: of the model.
        metadata: of the preset.
        repository: "user/name".
        license: the hub's name of a licence, or `None`.
        readme: the folder's own card, which may not exist.
    """
    header = {
        "library_name": "keras",
        "license": license,
        "pipeline_tag": _TASKS.get(class_name, _DRAWS),
        "tags": ["kzoo", "keras", class_name.lower()],
    }
    # JSON is YAML too.
    lines = [f"{key}: {json.dumps(value)}" for key, value in header.items() if value is not None]
    own = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    own = re.sub(r"\A---\n.*?\n---\n", "", own, flags=re.DOTALL).strip()
    if not own:
        title = metadata.get("title") or repository.partition("/")[2]
        parameters = f"A {class_name} of {metadata['parameter_count']:,} parameters."
        own = "\n\n".join([f"# {title}", metadata.get("description") or parameters])
    heading, _, rest = own.partition("\n")
    load = (
        f'```python\nimport kzoo\n\nmodel = kzoo.{class_name}.from_preset("hf://{repository}")\n```'
    )
    return "\n".join(["---", *lines, "---", "", heading, "", load, "", rest.strip(), ""])
