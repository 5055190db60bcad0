"""Names that a model is not told, because they may name a person, and names that may be written to steer it.

The model is asked about the latter too, but apart from the others and for a proposal only: its confidence is held below
what any threshold of approval may be. Taking an honest name for a hostile one costs an admin a glance.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from kamioi_web.mapping.proposals import Answer, Question

LONGEST_REASON = 300
HELD = 0.5  # no threshold of automatic approval may be this low
LONGEST_NAME = 200
LONGEST_ORDINARY, MOST_WORDS = 60, 8
SHORTEST_TICKER = 3  # that stands out in a name; shorter ones are words too often
ALIKE_SHARE = 8  # two rows that are given one company for no visible reason are odd, if they are an eighth of a call


def _any_of(words: str) -> re.Pattern[str]:
    """A pattern for any of these whole words; `-` stands for a blank, `*` for any ending, `+` for a word."""
    escaped = (
        re.escape(word).replace(r"\-", " ").replace(r"\*", r"\w*").replace(r"\+", r"\w+") for word in words.split()
    )
    return re.compile(rf"\b(?:{'|'.join(escaped)})\b")


EMAIL = re.compile(r"\S@\S|\w\s*(?:\(at\)|\[at\]|\bat\b)\s*\w+\s*(?:\(dot\)|\[dot\]|\bdot\b|\.)\s*(?:com|net|org)\b")
LONG_NUMBER = re.compile(r"(?:\d[\s().+/-]{0,3}){7,}")
BETWEEN_PEOPLE = _any_of("""
zelle venmo cash-app cashapp apple-cash facebook-pay messenger-pay p2p interac e-transfer etransfer etrnsfr
transfer-to transfer-from xfer-to xfer-from trnsfr-to trnsfr-from payment-to payment-from pmt-to pmt-from money-to
money-from sent-to sent-from paid-to paid-from loan-to loan-from rent-to rent-from gift-to gift-from to-friend
from-friend person-to-person friends-and-family friends-&-family mr-+ mrs-+ ms-+ miss-+ mr.-+ mrs.-+ ms.-+
""")

# One of these is enough.
COMMANDS = _any_of("""
ignor* disregard* overrid* overrul* bypass* forget instruct instructed instructing instruction instructions prompt
prompts system assistant chatgpt chat-gpt gpt gpt3 gpt4 gpt5 llm llms ai language-model jailbr* developer-mode dan-mode
you-are you-must you-will act-as pretend roleplay role-play respond* reply* replies answer answers output* confiden*
ticker tickers symbol nasdaq nyse json schema null threshold autoapprov* auto-approv* approv* classif* categoris*
categoriz* label-this label-it label-as assign* treat-as treated-as sudo base64 rot13 decode* execute executed exec eval
script curl wget fetch drop-table union-select insert-into delete-from reveal* apikey api-key api-keys secret
secrets password always regardless obey* comply follow-the follow-this follow-these follow-my following instead-of
new-rule new-rules new-task the-rules real-task above-rules previous-* prior-* all-other other-rows other-merchants
other-names other-entries all-rows all-names all-merchants all-entries end-of begin-of beginning-of certainty
probability score to-buy buy-shares invest-in shares-of stock-of
ignorier* anweisung* antwort* vergiss ignora* instrucc* instruco* istruzion* consignes repond* oubli* respond* olvida*
dimentic* negeer* instructie*
""")
# Two of these in one name are.
HINTS = _any_of("""
this it its is are be as must should shall will please pls note important attention urgent admin verified true correct
valid trusted official map maps mapped mapping set use choose pick select return say print write give put make match
matches belong belongs owned owner equal equals mean means same every* all any each your you my now then not but rule
rules user human id row rows merchant stock listed exchange because sure 100 percent maximum 
next above below previous only do never no if else for to with than
""")
ORDER = re.compile(r"^\W*(?:say|print|choose|pick|use|write|give|put|set|return|map|make|select)\b")
ADDRESS = re.compile(
    r"://|\S\s+www\.|\b(?:java|vb)script:|\bdata:|[\w-]+\.[a-z]{2,6}/|\b\d{1,3}(?:\.\d{1,3}){3}\b|\.\./"
)
MARKS = re.compile(r"[{}\[\]<>|\\`~^=;:\"$%_?!]|--|##|\*\*|''|(?<!\d)\.{2,}|->|/\*")
BLOB = re.compile(r"\b(?=\w*\d)(?=\w*[a-z])\w{16,}\b|\b\w{25,}\b|(?:\b\w\b[\s.-]?){5,}")
# Words of companies' names that a merchant's may share by chance.
EVERYDAY = frozenset(
    re.findall(
        r"\w+",
        """
a ag american and brands class co com companies company corp corporation enterprises financial first global group
holding holdings inc incorporated international limited llc lp ltd n national nv of one plc s sa services shop store
stores technologies the trust u united us usa world
""",
    )
)
LEET = str.maketrans("013457@", "oieasta")
LONG_WORD = re.compile(r"\b[\w@]{5,}")
WORD = re.compile(r"[a-z0-9]+")


def refusal(name: str) -> str | None:
    """Why a name is not sent to a model; None when it may be."""
    text = _simple(name)
    if not text.strip():
        return "There is no name to ask the model about."
    if len(name) > LONGEST_NAME:
        return f"The model was not asked: the name is longer than {LONGEST_NAME} characters."
    if not name.isprintable():
        return "The model was not asked: the name holds characters that are not text."
    if EMAIL.search(text) or LONG_NUMBER.search(text):
        return "The model was not asked: the name may hold an e-mail address, a phone or an account number."
    if BETWEEN_PEOPLE.search(text):
        return "The model was not asked: this looks like a payment between people, and the name like a person's."
    return None


def is_suspicious(name: str) -> bool:
    """Whether a name may be written to steer a model rather than to name a merchant."""
    text = _simple(name)
    if len(name) > LONGEST_ORDINARY or len(text.split()) > MOST_WORDS or not _ordinary_letters(name):
        return True
    if any(pattern.search(text) for pattern in (COMMANDS, ORDER, ADDRESS, MARKS, BLOB)):
        return True
    plain = LONG_WORD.sub(lambda word: word[0].translate(LEET), text)
    return bool(COMMANDS.search(plain)) or len(set(HINTS.findall(text))) > 1


def hold_back_hostile(answer: Answer) -> Answer:
    """The answer, with little confidence when the name may have told the model what to say."""
    if is_suspicious(answer.name):
        return _held(answer, "The name reads like an instruction")
    if answer.ticker and _spells(answer.name, answer.ticker, answer.company or ""):
        return _held(answer, f"The name itself spells the ticker {answer.ticker}")
    return answer


def hold_back_alike(
    questions: Sequence[Question], answers: dict[str, Answer | str], catalogue: Mapping[str, str]
) -> dict[str, Answer | str]:
    """The answers, with little confidence where one name of the call may have told the model what to say of others.

    That is a company that several names were given which do not resemble it or, where a name of the call is known to
    be odd, a single one. So a name that steers the model gains nothing, even where nobody knows it for that.
    """
    candidates = {question.name: {one.ticker for one in question.candidates} for question in questions}
    unlike = {
        name: answer.ticker
        for name, answer in answers.items()
        if isinstance(answer, Answer)
        and answer.ticker
        and answer.ticker not in candidates[name]
        and not _words(name) & (_words(answer.company or "") - EVERYDAY | {answer.ticker.lower()})
    }
    enough = 1 if any(oddity(one.name, catalogue) for one in questions) else max(2, len(questions) / ALIKE_SHARE)
    many = {ticker for ticker, n in Counter(unlike.values()).items() if n >= enough and len(questions) > 1}
    why = "Nothing in the name speaks for this company, which another name of the same call may have asked for"
    return {
        name: _held(answer, why) if isinstance(answer, Answer) and unlike.get(name) in many else answer
        for name, answer in answers.items()
    }


def oddity(name: str, catalogue: Mapping[str, str]) -> int:
    """How odd a name is, and so what it may go out with: 0 not at all, 1 a ticker stands in it, 2 it is suspicious."""
    if is_suspicious(name):
        return 2
    words = [word.upper() for word in _words(name) if len(word) >= SHORTEST_TICKER]
    return int(any(word in catalogue and _spells(name, word, catalogue[word]) for word in words))


def _held(answer: Answer, why: str) -> Answer:
    said = f": {answer.reason}" if answer.reason else ""
    reason = f"{why}, so an admin decides{said}"[:LONGEST_REASON]
    return answer._replace(suspicious=True, confidence=min(answer.confidence, HELD), reason=reason)


def _spells(name: str, ticker: str, company: str) -> bool:
    """Whether a ticker stands in a name as a word that is not one of the company's own name."""
    pieces = _words(name)
    spelt = {ticker.lower(), *WORD.findall(ticker.lower())} if len(ticker) > 1 else {ticker.lower()}
    return len(pieces) > 1 and bool(spelt & (pieces - _words(company)))


def _words(text: str) -> set[str]:
    return set(WORD.findall(_simple(text)))


def _simple(text: str) -> str:
    """Small letters without accents, and without what has no width or looks like another letter."""
    parts = unicodedata.normalize("NFKD", text)
    seen = "".join(letter for letter in parts if unicodedata.category(letter) not in ("Mn", "Cf", "Me"))
    return re.sub(r"\s+", " ", seen).casefold()


def _ordinary_letters(name: str) -> bool:
    """Whether every character is one that a card statement prints: Latin letters, digits, blanks, marks of ASCII."""
    return all(_is_ordinary(letter) for letter in name)


def _is_ordinary(letter: str) -> bool:
    if letter.isascii():
        return letter.isprintable()
    return letter in "’–·®™" or (letter.isalpha() and "LATIN" in unicodedata.name(letter, ""))
