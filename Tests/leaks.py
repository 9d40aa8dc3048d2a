"""What no program may print or log: the lines of Tests/secrets.txt."""

import pathlib
import re


def patterns():
    lines = pathlib.Path(__file__).with_name("secrets.txt").read_text().splitlines()
    return [(name, re.compile(pattern)) for name, pattern in (line.split("\t") for line in lines if line[0] != "#")]


def found(text):
    """Names of the secrets in a text; never the secrets themselves."""
    return [name for name, pattern in patterns() if pattern.search(text)]


def refuse(*paths):
    """Fails if one of these files holds a secret."""
    holding = {path.name: names for path in paths if (names := found(path.read_text(errors="replace")))}
    assert not holding, f"secrets in what programs said: {holding}"
