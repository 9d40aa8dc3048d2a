"""Finds gcloud command lines in texts, and reads which flags a coldroll command has from its source."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def scripts():
    """The scripts that a person runs, and what they read."""
    return sorted((ROOT / "deploy/gcloud").glob("*.sh"))


def texts():
    """Everything that tells a person what to type."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "deploy").glob("*.*"))]


def lines(text):
    """What follows each 'gcloud', to the end of its command line; lines that end with a backslash are one."""
    joined = re.sub(r"\\\n\s*", " ", text)
    for match in re.finditer(r"(?<![\w./-])gcloud ([^\n`'|;&)<]*)", joined):
        yield match.group(1)


def blocks(text):
    """The command lines of a text in Markdown's fenced blocks, joined where a backslash ends one."""
    for block in re.findall(r"^ *```\n(.*?)^ *```", text, re.S | re.M):
        yield from re.sub(r"\\\n\s*", " ", block).splitlines()


def command(line, tree):
    """The longest command that the line begins with, or None; a variable among the words stands for 'create' and the like."""
    node, found = tree, []
    for word in line.split():
        if word not in node["commands"]:
            break
        node = node["commands"][word]
        found.append(word)
    return " ".join(found) if found and not node["commands"] else None


def quoted(text, tree):
    """The commands that a text has command lines of."""
    for line in lines(text):
        # "$change" is one of two words that the script sets right above.
        choices = [line.replace('"$change"', word) for word in ("create", "update")] if '"$change"' in line else [line]
        for choice in choices:
            found = command(choice, tree)
            if found:
                yield found


def nested(reference):
    """The commands of reference.json as a tree like the CLI's."""
    tree = {"commands": {}}
    for name in reference["commands"]:
        node = tree
        for word in name.split():
            node = node["commands"].setdefault(word, {"commands": {}})
    return tree


def program():
    """coldroll's commands with their flags (True: a value follows), from the tables that its parser is made of."""
    source = "\n".join(path.read_text() for path in sorted((ROOT / "Sources/coldroll").rglob("*.swift")))
    shared = {}
    for name, value in re.findall(r"static let (\w*[fF]lags?)\s*(?:: \[Flag\])? =\s*((?:Flag\(|\[).*?)(?=\n    (?:private )?static |\n\n|\n\})", source, re.S):
        shared.setdefault(name, {}).update(flags(value))
    commands = {}
    for name, body in re.findall(r"static let \w+ = Command\(\s*name: \"([a-z-]+)\"(.*?)\n    \) \{", source, re.S):
        table = re.search(r"\n        flags: (.*?),\n        (?:examples|need|output|interruption|badSettings)", body, re.S)
        found = {"--env-file": True, "--help": False}
        if table:
            found.update(flags(table.group(1)))
            for reference in re.findall(r"(?:\w+\.)?(\w*[fF]lags?)\b(?!\()", table.group(1)):
                if reference in ("Flag",):
                    continue
                if reference == "flag":
                    found["--source"] = True
                elif reference in ("flags", *shared):
                    owner = re.search(rf"(\w+)\.{reference}\b", table.group(1))
                    found.update(owned(source, owner.group(1), reference) if owner else shared[reference])
                else:
                    raise SystemExit(f"scripts/gcloud/words.py cannot find {reference} of 'coldroll {name}'")
        commands[name] = found
    return commands


def owned(source, type_name, name):
    """The flags in a static of a type."""
    body = re.search(rf"(?:enum|struct|extension) {type_name}\b.*?static let {name}\s*=\s*(.*?)(?=\n\n|\n    static |\n\}})", source, re.S)
    if not body:
        raise SystemExit(f"scripts/gcloud/words.py cannot find {type_name}.{name}")
    found = flags(body.group(1))
    for other in re.findall(r"\b(\w+Flag)\b", body.group(1)):
        found.update(owned(source, type_name, other))
    return found


def flags(text):
    """The literal flags of a table."""
    return {
        name: not re.match(r"\s*,\s*\.toggle|\s*,?\s*\"", rest)
        for name, rest in re.findall(r"Flag\(\s*\"(--[a-z-]+)\"((?:\s*,\s*\.\w+)?)", text)
    }
