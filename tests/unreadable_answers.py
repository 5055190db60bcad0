"""What a server may send instead of an answer, none of which may be taken for one."""

import gzip

from model_server import Behaviour, endless, saying, sending

DEEP = '{"answers": ' + "[" * 100_000
ONE = '{"id": 1, "ticker": "SBUX", "confidence": %s, "reason": ""}'
CONTENTS = [
    "", " ", "null", "true", "1", '"text"', "[]", "{}", '{"answers": null}', '{"answers": {}}', '{"answers": []}',
    '{"answers": [null, 1, "a", []]}', '{"answers": [[1, "SBUX", 0.9, ""]]}', '{"answers": [{}]}',
    '{"answers": [' + ONE % "NaN" + "]}", '{"answers": [' + ONE % "Infinity" + "]}",
    '{"answers": [' + ONE % "-Infinity" + "]}", '{"answers": [' + ONE % "1e999" + "]}",
    '{"answers": [' + ONE % "nan" + "]}", '{"answers": [' + ONE % "0.9." + "]}", '{"answers": [' + ONE % "+0.9" + "]}",
    '{"answers": [' + ONE % ".9" + "]}", '{"answers": [' + ONE % "0x1" + "]}", '{"answers": [' + ONE % "0.9" + "",
    '{"answers": [' + ONE % "0.9" + ",]}", '{"answers": [' + ONE % "0.9" + "]}}",
    '{"answers": [' + ONE % "0.9" + "]} x",
    '{"answers": [' + ONE % ("9" * 5_000) + "]}", "{'answers': []}", '{answers: []}', '{"answers": [{"id": 1,}]}',
    '{"answers": ["\\ud800"]}', '{"answers": ["\\x00"]}', '{"answers": ["\x01"]}', '{"answers": ["a\nb"]}',
    '// no\n{"answers": []}', "Sure! Here is the JSON you asked for.", "<html><body>502 Bad Gateway</body></html>",
    DEEP, DEEP + "]" * 100_000 + "}", "[" * 100_000, '{"a":' * 100_000, '{"answers": ' + "[" * 21 + "]" * 21 + "}",
    '"' + "\\" * 99_999, '"' * 99_999, "\ufeff{}", "```json\n{}\n```", "```\n```",
    '{"answers": [' + "{}," * 9_999 + "{}]}",
]  # fmt: skip
BODIES = [
    b"", b"null", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{}]}', b'{"choices": [{"message": null}]}',
    b'{"choices": [{"message": {"content": null}}]}', b'{"choices": [{"message": {"content": {"answers": []}}}]}',
    b'{"choices": {"0": {"message": {"content": ""}}}}', b"<!doctype html><title>Login</title>",
    b"\xff\xfe\x00", b"\x00",
    b"[" * 100_000, b'{"choices":' * 50_000, b'{"choices": [NaN]}', b'{"choices"', b"data: {}\n\n",
    gzip.compress(b"{}"),
    b'{"error": {"message": "overloaded"}}', b"9" * 500_000, b'"' * 900_001, b'\\"' * 450_000,
]  # fmt: skip
UNREADABLE: list[Behaviour] = [
    *(saying(lambda _, text=text: text) for text in CONTENTS),
    *(sending(body) for body in BODIES),
    sending(b" " * 10_000_000),
    endless,
    sending(gzip.compress(b" " * 10_000_000), Content_Encoding="gzip"),
]
