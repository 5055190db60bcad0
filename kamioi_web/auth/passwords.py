"""Hashing and checking passwords with argon2id, and the rules for new ones."""

import unicodedata
from collections.abc import Generator
from contextlib import contextmanager
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kamioi_web.errors import Busy, KamioiError

SHORTEST, LONGEST = 12, 1000
HASHER = PasswordHasher()  # argon2id with the low-memory parameters of RFC 9106: 64 MiB, 3 passes
# What a password is compared with when there is no account, so that the time taken does not tell.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$TIf/s9IwVRgD8tzkHslbDA$xXqPG+Cjtiq39qylZYdw5ZWZyUjChKesDALbqkZUAAc"
HASHING = BoundedSemaphore(2)  # each one takes 64 MiB: a flood of logins must not take the machine
COMMON = frozenset(
    """
    000000000000 111111111111 123123123123 123412341234 123456123456 123456654321 123456789000 123456789012
    1234567890123 12345678901234 123456789012345 1234567890123456 12345678910 123456789101112 0123456789012
    1234567890ab 1234567890qwerty 123456789abc 123456789qwerty 123456abcdef 123456qwerty 1q2w3e4r5t6y
    1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw23edc a1b2c3d4e5f6 abc123abc123
    abc123456789 abcd12345678 abcdefghijkl abcdefghijklm admin1234567 admin12345678 admin123456789 adminadminadmin
    administrator administrator1 asdfasdfasdf asdfghjkl123 asdfghjklqwe asdfghjkl;' changeme1234 changemechangeme
    changethispassword correcthorsebatterystaple dragondragon football1234 iloveyou1234 iloveyouiloveyou
    kamioikamioi kamioipassword letmein12345 letmeinletmein mypassword12 mypassword123 p@ssw0rd1234 p@ssword1234
    passw0rd1234 password0000 password1111 password1234 password12345 password123456 password1234567
    password12345678 password123456789 password2023 password2024 password2025 password2026 passwordpassword
    princess1234 q1w2e3r4t5y6 qazwsxedcrfv qazwsxedc123 qwer1234qwer qwerasdfzxcv qwerty123456 qwerty1234567
    qwerty12345678 qwertyqwerty qwertyuiop10 qwertyuiop12 qwertyuiop123 qwertyuiop1234 qwertyuiop[] qwertyuiopas
    qwertyuiopasdfghjkl rootrootroot secretsecret sunshine1234 superman1234 testtesttest thisisapassword
    trustno1trustno1 welcome12345 welcome123456 zaq12wsxcde3 zxcvbnm12345 zxcvbnmasdfg
    """.split()  # noqa: SIM905 (a list would be three times as long)
)


def hash_password(password: str) -> str:
    """The hash to keep of a password that the rules allow."""
    with _slot():
        return HASHER.hash(_encode(password))


def verify(password_hash: str | None, password: str) -> bool:
    """Whether the password is the hashed one; without a hash it takes as long, and is never right."""
    too_long = len(password) > LONGEST
    with _slot():
        try:
            HASHER.verify(password_hash or NOBODY, b"" if too_long else _encode(password))
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None and not too_long


def needs_rehash(password_hash: str) -> bool:
    """Whether the hash was made with parameters other than today's."""
    return HASHER.check_needs_rehash(password_hash)


def check_rules(password: str, email: str) -> None:
    """Raise KamioiError that says what is wrong with a new password."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise KamioiError(f"A password has {SHORTEST} to {LONGEST} characters; this one has {len(password)}.")
    plain = password.strip().lower()
    if plain in (email.lower(), email.lower().partition("@")[0]):
        raise KamioiError("A password must not be the e-mail address.")
    if "".join(plain.split()) in COMMON or len(set(plain)) < 5:
        raise KamioiError("This password is one of the first that anyone would try. Choose another.")


def _encode(password: str) -> bytes:
    """One spelling for what keyboards write in several ways."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@contextmanager
def _slot() -> Generator[None]:
    if not HASHING.acquire(timeout=5):
        raise Busy("Too many people are logging in at this moment. Try again in a few seconds.")
    try:
        yield
    finally:
        HASHING.release()
