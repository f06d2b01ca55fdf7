"""`python -m model.train RECIPE.json`: trains a checkpoint by a recipe, and goes on where it stopped.

Two kinds of recipe:
- `multitask`: sentence-transformers' own trainer; multiple negatives on NLI triplets in turn with
  cosine similarity on KorSTS (model/recipes/seed.json)
- `mixed`: the default model's; similarity, contrast and distillation in every step, then an average
  with the start (model/recipes/default.json)

Paths in a recipe are relative to the repository. Any value can be given again behind the recipe, as
NAME=VALUE. A recipe may be JSON or TOML.
"""
from __future__ import annotations

import json
import random
import sys
import tomllib
from pathlib import Path

from model.datasets import ROOT
from model.errors import ModelError

REQUIRED = ("kind", "checkpoint", "out", "seed", "epochs", "batch", "learning_rate")


def read_recipe(path: Path, changes: dict | None = None) -> dict:
    """A recipe with its paths made whole. Raises ModelError that names what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
        recipe = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except FileNotFoundError:
        raise ModelError(f"{path} is missing") from None
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from None
    recipe.update(changes or {})
    missing = [name for name in REQUIRED if name not in recipe]
    if missing:
        raise ModelError(f"{path} lacks {', '.join(missing)}")
    if recipe["kind"] not in ("multitask", "mixed"):
        raise ModelError(f'{path}: "kind" is {recipe["kind"]!r}; "multitask" and "mixed" are known')
    for name in ("checkpoint", "out"):
        recipe[name] = str((ROOT / recipe[name]).resolve())
    if not Path(recipe["checkpoint"]).is_dir():
        raise ModelError(f'{path}: "checkpoint" {recipe["checkpoint"]} is no folder on this computer')
    return recipe


def fix_seeds(seed: int) -> None:
    import numpy
    import torch

    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)


def write_card(out: Path, recipe: dict, figures: dict[str, float]) -> None:
    """README.md of a trained checkpoint: where it comes from, data, licences, figures."""
    rows = "\n".join(f"| {name} | {value:.2f} |" for name, value in figures.items())
    (out / "README.md").write_text(
        f"# {out.name}\n\n{recipe.get('about', '')}\n\n"
        f"Trained from `{Path(recipe['checkpoint']).name}`, whose licence goes on to hold.\n\n"
        "## Data\n\n"
        "- KorSTS train and KorNLI development and test sets, kakaobrain, CC BY-SA 4.0\n"
        + ("- Chatbot_data_for_Korean, songys, MIT\n- Question_pair, songys, MIT\n" if recipe["kind"] == "mixed" else "")
        + f"\n## Figures\n\n| figure | x 100 |\n|---|---|\n{rows}\n\n"
        f"## Recipe\n\n```json\n{json.dumps(recipe, indent=2, ensure_ascii=False)}\n```\n",
        encoding="utf-8",
    )


def run(path: Path, changes: dict | None = None) -> Path:
    """Trains by the recipe at `path`; returns the folder of the trained checkpoint."""
    recipe = read_recipe(path, changes)
    fix_seeds(recipe["seed"])
    if recipe["kind"] == "multitask":
        from model.train_multitask import train
    else:
        from model.train_mixed import train
    figures = train(recipe)
    out = Path(recipe["out"])
    write_card(out, recipe, figures)
    return out


def _change(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ModelError(f"{text!r} should be NAME=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def main(arguments: list[str]) -> int:
    try:
        if not arguments or arguments[0] in ("-h", "--help"):
            print(__doc__)
            return 0 if arguments else 2
        out = run(Path(arguments[0]), dict(map(_change, arguments[1:])))
    except ModelError as error:
        print(f"model.train: {error}", file=sys.stderr)
        return 2
    print(f"{out} is ready; `python -m model.export {out} --out DIR` makes a model folder of it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
