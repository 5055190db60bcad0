"""A readable name for a merchant descriptor."""

import re

NUMBER_AFTER_SIGN = re.compile(r"#[0-9]+\*?$")
NUMBER = re.compile(r"[0-9]{3}")
WEB = re.compile(r"\.(?:com|co\.uk|ca|org|net)\b", re.IGNORECASE)


def readable(descriptor: str) -> str:
    """Spaces collapsed, a trailing store number cut, and text that is all one case put in title case."""
    words = descriptor.split()
    if len(words) > 1 and _is_store_number(words[-1]):
        words = words[:-2] if words[-2] == "#" and len(words) > 2 else words[:-1]
    name = " ".join(words)
    shorter = NUMBER_AFTER_SIGN.sub("", name).rstrip(" *#-,")
    name = shorter if len(shorter) >= 3 else " ".join(descriptor.split())
    if name.isupper() or name.islower():
        name = " ".join(word[:1].upper() + word[1:].lower() for word in name.split(" "))
        name = WEB.sub(lambda found: found[0].lower(), name)
    return name or descriptor


def _is_store_number(word: str) -> bool:
    return word.isdigit() or (word.startswith("#") and len(word) > 1) or bool(NUMBER.search(word))
