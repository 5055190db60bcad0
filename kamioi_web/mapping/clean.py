"""Clean: a descriptor without what belongs to the payment, the branch or the place."""

import re
import unicodedata
from collections.abc import Callable

from kamioi_web.mapping import aliases
from kamioi_web.mapping.proposals import Cleaned
from kamioi_web.mapping.vocabulary import (
    BARE,
    COUNTRIES,
    JOINING,
    LEGAL_FORMS,
    MONTHS,
    STATES,
    WORDS_TOO,
    ends_of_tails,
    last_words_of_places,
    places,
)

LONGEST = 200  # characters that are looked at; a descriptor is far shorter
OWN_NAMES = frozenset({"hp", "ee", "aa", "3m"})  # of two letters; of longer ones the aliases tell
SHORT_FOR = {"tm": "ticketmaster", "dd": "doordash", "bkg": "booking com", "apl": "apple"}

# Agents that are named before the merchant: with a star, or with two blanks where a file lost its stars.
AGENT = re.compile(
    r"(?:paypal(?: inst| \*)?|pypl|pp|square|squ|sqc?|gosq\.com|tst|toast|clv|clover|sp|shopify|eb|eventbrite|in|int|"
    r"act|izettle|zettle|iz|sumup|stripe|stk|wpy|wepay|wav|skr|skrill|2co(?:\.com)?|dri|fs|bls|spn|shoptrn|amz|chq|ppl|"
    r"bill\.com|cke|ztl|opc|cvent|avangate|worldpay|sagepay)(?: *\*+|  )[ *]*"
)
PLAIN_AGENT = re.compile(r"(?:paypal|izettle|zettle|sumup|amz(?!n)|wp-|3c_|wpy |sq )[ *_]*(?=[a-z0-9])")
FIRST_OF_AGENTS = frozenset("piszaw3")  # letters that PLAIN_AGENT begins with
SHORT_CODE = re.compile(r"([a-z0-9]{2,4}) ?\*\s*(?=[a-z])")
WEB_START = re.compile(r"(?:https?:/*|www?[. ]|www(?=[a-z]{4}))+")
SUFFIXES = (
    r"com?\.uk|org\.uk|gov\.uk|ac\.uk|nhs\.uk|me\.uk|net\.uk|com\.au|com|org|net|gov|edu|ca|uk|eu|us|io|tv|ie|biz|"
    r"info|travel|co|de|fr"
)
WEB_END = re.compile(rf"\.(?:{SUFFIXES})(?:[a-z0-9]{{9}}(?= |$))?(?![a-z0-9])(?:/\S*)?")
WEB_STUMP = re.compile(r"\.(?:c|co\.|co\.u|or|org?\.u?|go|gov\.u?|n|ne)?$")
GENITIVE = re.compile(r"([a-z]{2,}[a-rt-z]) s(?= |$)")
DIGIT = re.compile("[0-9]")
STATE = f"(?: +(?:{'|'.join(sorted(STATES))})$)?"
PHONE = re.compile(
    r"(?:(?<![\w#])(?:\+?1[-. ]?)?\(?[2-9]\d\d\)?[-. ]\d{3}[-. ]?\d{3,4}(?!\d)|(?<!\d)\+?\d{10,12}(?!\d)|"
    rf"(?<!\d)0\d{{3,4}}[- ]\d{{3}}[- ]?\d{{3,4}}(?!\d)){STATE}"
)
DATE = re.compile(
    rf"\b\d{{1,4}}[-/]\d{{1,2}}[-/]\d{{1,4}}\b|\b(?:{MONTHS})\d{{1,4}}\b|\b\d{{1,2}}(?:{MONTHS})(?:\d\d)*\b"
)
TICKET = re.compile(r"(american|delta|united|southwest|alaska|jetblue)(?: air\w*)?[ *]+(\d{3})\d{7,10}$")
AIRLINES = {
    ("american", "001"): "american airlines",
    ("delta", "006"): "delta air lines",
    ("united", "016"): "united airlines",
    ("southwest", "526"): "southwest airlines",
    ("alaska", "027"): "alaska airlines",
    ("jetblue", "279"): "jetblue airways",
}
GLUED_CODE = re.compile(r"(uk|us|ca|com|prime|svcs)(?=[a-z0-9]*\d)[a-z0-9]{9}")
BRANCH = re.compile(r"[a-z]{1,3}\d{2,}[a-z]?")
GLUED_NUMBER = re.compile(r"([a-z]{4,})\d{3,}")
BOTH = re.compile(r"(?=.*\d.*\d)(?=.*[a-z])[a-z0-9]{6,}")


def _table() -> dict[int, str | None]:
    """Apostrophes go, so that mcdonald's is one word; other signs part words; # stays at the number behind it."""
    signs: dict[int, str | None] = {sign: " " for sign in range(128) if not chr(sign).isalnum()}
    return signs | {ord("#"): " #"} | {ord(sign): None for sign in "'`´’‘"}


SIGNS = _table()


def clean(descriptor: str) -> Cleaned:
    """The name in a descriptor, in small letters, words parted by one space; and in words what was taken off.

    A name is never empty unless the descriptor holds no letter and no digit.
    """
    text = plain(descriptor)
    cuts: list[str] = []
    airline = TICKET.match(text)
    if airline and (airline[1], airline[2]) in AIRLINES:
        return Cleaned(AIRLINES[airline[1], airline[2]], (f"number of an airline ticket ({airline[2]}...) taken off",))
    if "*" in text or "  " in text or text[:1] in FIRST_OF_AGENTS:
        text = _without_agent(text, cuts)
    if "." in text or "www" in text or "http" in text:
        text = _without_web(text, cuts)
    if DIGIT.search(text):
        text = _without(PHONE, "phone number", text, cuts)
        text = _without(DATE, "date", text, cuts)
        words = _without_numbers(_split(text), cuts)
    else:
        words = _split(text.replace("#", " "))
    words = _without_tail(words, cuts)
    if not words:
        words, cuts = _split(plain(descriptor).replace("#", " ")), []
    return Cleaned(" ".join(words), tuple(cuts))


def plain(text: str) -> str:
    """Small letters without accents, the first LONGEST characters, no space at the ends."""
    text = text[:LONGEST]
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text)
        kept = "".join(character for character in apart if not unicodedata.combining(character))
        text = re.sub(r"[^\w\s\x21-\x7e]|_", " ", kept.replace("’", "'"))
    return text.lower().strip()


def as_alias(name: str) -> str:
    """A name written as aliases are: "McDonald's" is mcdonalds, "AT&T" is at t."""
    return " ".join(_split(plain(name).replace("#", " ")))


def _split(text: str) -> list[str]:
    if " s " in text or text.endswith(" s"):
        text = GENITIVE.sub(_genitive, text)
    return text.translate(SIGNS).split()


def _genitive(found: re.Match[str]) -> str:
    """An apostrophe that became a space: "tim horton s" is tim hortons, but "hilton s" at the end may be cut off."""
    joined = f"{found[1]}s"
    at_end = found.end() == len(found.string)
    return joined if joined in aliases.known_words() or not (at_end or found[1] in JOINING) else found[0]


def _without_agent(text: str, cuts: list[str]) -> str:
    for _ in range(3):  # an agent may sell through an agent: INT*IN *
        found = AGENT.match(text) or PLAIN_AGENT.match(text)
        if not found:
            break
        rest = text[found.end() :]
        if not any(character.isalpha() for character in rest):
            break
        cuts.append(f"prefix of a payment agent {found[0].strip().upper()} taken off")
        text = rest
    found = SHORT_CODE.match(text)
    if found and found[1] in SHORT_FOR:
        return f"{SHORT_FOR[found[1]]} {text[found.end() :]}"
    if found and not _is_own_name(found[1]) and _is_named(text[found.end() :]):
        cuts.append(f"prefix {found[0].strip().upper()} taken off")
        text = text[found.end() :]
    return text


def _is_own_name(code: str) -> bool:
    """Whether what stands before a star is the merchant itself, as in LYFT *RIDE."""
    return code in OWN_NAMES or (len(code) > 2 and code in aliases.known())


def _is_named(rest: str) -> bool:
    """Whether behind a prefix there is a word and not only a code."""
    return rest[:3].isalpha()


def _without_web(text: str, cuts: list[str]) -> str:
    start = WEB_START.match(text)
    if start and len(text) > start.end():
        cuts.append("start of a web address taken off")
        text = text[start.end() :]
    text = _without(WEB_END, "web suffix", text, cuts)
    return _without(WEB_STUMP, "stump of a web suffix", text, cuts)


def _without(pattern: re.Pattern[str], what: str, text: str, cuts: list[str]) -> str:
    found = pattern.search(text)
    if not found or not (rest := pattern.sub(" ", text)).strip():
        return text
    cuts.append(f"{what} {found[0].strip()} taken off")
    return rest


def _without_numbers(words: list[str], cuts: list[str]) -> list[str]:
    kept: list[str] = []
    number_follows = False
    for word in words:
        shorter = word if word.isalpha() else _without_number(word, not kept, number_follows)
        number_follows = word == "#"
        if shorter:
            kept.append(shorter)
        if word not in (shorter, "#"):
            cuts.append(f"{_kind(word)} {word.removeprefix(shorter)} taken off")
    return kept


def _without_number(word: str, first: bool, is_number: bool) -> str:
    """What of a word with a digit belongs to the name: all of it, its beginning, or nothing."""
    if word[0] == "#":
        return word[1:] if word[1:].isalpha() else ""
    if word in aliases.known_words() and not is_number and not word.isdigit():
        return word  # life360, 3m
    if word.isdigit():
        return "" if is_number or len(word) > (4 if first else 3) else word
    glued = (GLUED_NUMBER.match(word) if first else GLUED_NUMBER.fullmatch(word)) or GLUED_CODE.fullmatch(word)
    if glued:
        return glued[1]
    if is_number or (not first and BRANCH.fullmatch(word)) or BOTH.fullmatch(word):
        return ""
    return word


def _kind(word: str) -> str:
    return "number" if word.lstrip("#").isdigit() else "reference code"


def _without_tail(words: list[str], cuts: list[str]) -> list[str]:
    """Without legal forms, numbers, towns, states and countries at the end, as long as a name is left."""
    for _ in range(6):
        if not words or not (words[-1] in ends_of_tails() or words[-1].isdigit()):
            break
        for what, count in TAILS:
            n = count(words)
            if n and _names_something(words[:-n]) and not _ends_with_alias(words):
                cuts.append(f"{what} {' '.join(words[-n:])} taken off")
                words = words[:-n]
                break
        else:
            break
    return words


def _names_something(words: list[str]) -> bool:
    return bool(words) and words[-1] not in JOINING and not BARE.issuperset(words)


def _ends_with_alias(words: list[str]) -> bool:
    """Whether the end is a known name itself, such as air canada."""
    known = aliases.known()
    return any(" ".join(words[-n:]) in known for n in range(2, min(len(words), 4) + 1))


def _legal_form(words: list[str]) -> int:
    return int(words[-1] in LEGAL_FORMS) if words else 0


def _number(words: list[str]) -> int:
    return int(bool(words) and words[-1].isdigit() and len(words[-1]) > 1)


def _place(words: list[str]) -> int:
    """How many words at the end are a town, a town and its state, or a state."""
    last = words[-1] if words else ""
    if last in STATES:
        town = _town(words[:-1])
        return town + 1 if town else int(last not in WORDS_TOO and len(words) > 2)
    return _town(words)


def _town(words: list[str]) -> int:
    if not words or words[-1] not in last_words_of_places():
        return 0
    return next((n for n in (3, 2, 1) if len(words) >= n and " ".join(words[-n:]) in places()), 0)


def _country(words: list[str]) -> int:
    return int(bool(words) and words[-1] in COUNTRIES)


TAILS: tuple[tuple[str, Callable[[list[str]], int]], ...] = (
    ("legal form", _legal_form),
    ("number", _number),
    ("place", _place),
    ("country", _country),
)
