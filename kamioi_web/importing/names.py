"""A readable name for a merchant descriptor."""

import re

STORE_NUMBER = re.compile(r"[\s,]+(?:#\s*[\w-]*\d[\w-]*|[\w*-]*\d{3,}[\w-]*|\d+)\s*$|\s*#\s*\d+\*?\s*$")
WEB = re.compile(r"\.(?:com|co\.uk|ca|org|net)\b", re.IGNORECASE)


def readable(descriptor: str) -> str:
    """Spaces collapsed, a trailing store number cut, and text that is all one case put in title case."""
    name = " ".join(descriptor.split())
    shorter = STORE_NUMBER.sub("", name).rstrip(" *#-,")
    name = shorter if len(shorter) >= 3 else name
    if name.isupper() or name.islower():
        name = " ".join(word[:1].upper() + word[1:].lower() for word in name.split(" "))
        name = WEB.sub(lambda found: found[0].lower(), name)
    return name or descriptor
