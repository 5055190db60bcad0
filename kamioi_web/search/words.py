"""Names split into words, and the forms under which a misspelt word is found by equality."""

import re
import unicodedata

WORD = re.compile(r"[^\W_]+")
SHORTEST, LONGEST = 3, 24  # letters of a word that is kept
INDEXED = 3  # letters that the text indexes need
LEFT_OUT_FROM = 4  # letters of a word from which one may be left out; of less, too little would remain


def folded(text: str) -> str:
    """The text as words are compared: small, and with one way to write each letter."""
    return unicodedata.normalize("NFKC", text).casefold()


def words_of(name: str) -> list[str]:
    """The different words of a name in its order, casefolded; numbers alone are no words."""
    found = WORD.findall(folded(name))
    return list(dict.fromkeys(w for w in found if SHORTEST <= len(w) <= LONGEST and not w.isdigit()))


def forms_of(word: str) -> set[str]:
    """The word, and the word with each one of its letters left out.

    Two words that are one mistake apart (a letter too many, too few, wrong, or two changed over) share a form.
    """
    if len(word) < LEFT_OUT_FROM:
        return {word}
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def pieces_of(text: str) -> list[str]:
    """What must be in a name for it to hold a text: its words, in any order.

    A word too short for the text index stays with the word before it, or, at the beginning, with the one behind it.
    """
    pieces: list[str] = []
    for word in text.split():
        if pieces and (len(word) < INDEXED or len(pieces[-1]) < INDEXED):
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
    return pieces
