"""Files that browsers encrypt: our script in Node and our program for the command line read what the other wrote, and nothing else.

The form stands written out in static/tools/open_sealed.py; a third hand, below, writes it from that description.
"""

from __future__ import annotations

import base64
import gzip
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

STATIC = Path(__file__).resolve().parents[3] / "static"
PROGRAM = STATIC / "tools" / "open_sealed.py"
SCRIPT = STATIC / "js" / "transfers" / "sealed.js"
NODE = shutil.which("node") or ""
KEY, SALT, CHUNK = bytes(range(32)), b"s" * 16, 1024 * 1024
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 77]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("open_sealed", PROGRAM)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


open_sealed = _load()


def sealed(data: bytes, name: str, key: bytes = KEY, salt: bytes = SALT) -> bytes:
    """By the description alone."""
    cipher = AESGCM(HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"traboule file 1").derive(key))
    told = json.dumps({"name": name, "type": "text/plain"}, ensure_ascii=False).encode()
    told += b" " * (-len(told) % 256)
    fixed = b"TRABOULE\x01" + salt + (len(told) + 16).to_bytes(2, "big")
    parts = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)] or [b""]
    content = [
        cipher.encrypt(count.to_bytes(11, "big") + bytes([count == len(parts) - 1]), part, None)
        for count, part in enumerate(parts)
    ]
    return fixed + cipher.encrypt(b"\xff" * 12, told, fixed) + b"".join(content)


def link(key: bytes = KEY) -> str:
    return "https://webmail.lycee.example/t/abc#" + base64.urlsafe_b64encode(key).decode().rstrip("=")


def by_program(data: bytes, key: bytes = KEY) -> tuple[str, bytes]:
    name, _type, content = open_sealed.opened(io.BytesIO(data), key)
    return name, b"".join(content)


_AROUND = """
global.window = globalThis;
const fs = require("fs");
if (!globalThis.crypto) globalThis.crypto = require("crypto").webcrypto;
eval(fs.readFileSync(process.argv[1], "utf8"));
const given = JSON.parse(process.argv[2]);
function streamOf(bytes, step) {
  let at = 0;
  return new ReadableStream({ pull(c) {
    if (at >= bytes.length) return c.close();
    c.enqueue(new Uint8Array(bytes.subarray(at, at += step)));
  } });
}
(async () => {
"""


def node(script: str, **given: object) -> str:
    if not NODE:
        pytest.skip("Node is not installed")
    code = f"{_AROUND}{script}\n}})().catch((error) => {{ console.log(JSON.stringify(error)); process.exit(3); }});"
    done = subprocess.run([NODE, "-e", code, str(SCRIPT), json.dumps(given)], capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 3), done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("size", SIZES)
def test_the_program_opens_what_the_description_says(size):
    data = os.urandom(size)
    assert by_program(sealed(data, "Été/où.txt")) == ("Été/où.txt", data)


def test_the_script_seals_what_the_program_opens_whatever_parts_are_asked_for(tmp_path):
    for size in SIZES:
        (tmp_path / f"{size}.bin").write_bytes(os.urandom(size))
    node(
        """
        const key = window.sealed.keyIn(given.key);
        for (const size of given.sizes) {
          const file = new Blob([fs.readFileSync(`${given.folder}/${size}.bin`)], { type: "text/plain" });
          const made = window.sealed.seal(file, "Devoirs/Zoé.txt", key);
          const parts = [];
          for (let at = 0; at < made.size; at += given.step) {
            const part = await made.slice(at, at + given.step);
            if (part.size !== Math.min(given.step, made.size - at)) throw new Error("size");
            parts.push(Buffer.from(await part.arrayBuffer()));
          }
          const again = Buffer.from(await (await made.slice(0, made.size)).arrayBuffer());
          const whole = Buffer.concat(parts);
          if (!whole.equals(again) || whole.length !== made.size) throw new Error("not the same " + size);
          fs.writeFileSync(`${given.folder}/${size}.sealed`, whole);
        }
        """,
        key=link().partition("#")[2], folder=str(tmp_path), sizes=SIZES, step=700_001,
    )  # fmt: skip
    for size in SIZES:
        assert by_program((tmp_path / f"{size}.sealed").read_bytes()) == (
            "Devoirs/Zoé.txt",
            (tmp_path / f"{size}.bin").read_bytes(),
        )


_OPEN = """
const out = [];
let name = "";
await window.sealed.open(streamOf(fs.readFileSync(given.file), given.step), window.sealed.keyIn(given.key),
  (told) => { name = told.name; }, (bytes) => { out.push(Buffer.from(bytes)); });
fs.writeFileSync(given.file + ".open", Buffer.concat(out));
console.log(name);
"""


@pytest.mark.parametrize(("size", "step"), [(0, 10), (1, 1), (CHUNK, 65_536), (2 * CHUNK + 77, 3_000_000)])
def test_the_script_opens_what_the_description_says(tmp_path, size, step):
    data, file = os.urandom(size), tmp_path / "a.sealed"
    file.write_bytes(sealed(data, "où.txt"))
    assert node(_OPEN, file=str(file), key=link().partition("#")[2], step=step) == "où.txt"
    assert (tmp_path / "a.sealed.open").read_bytes() == data


def _broken() -> dict[str, tuple[bytes, bytes, str]]:
    """What was changed, with which key it is opened, and what is said."""
    whole = sealed(bytes(2 * CHUNK + 5), "a.txt")
    head = len(sealed(b"", "a.txt")) - 16
    step = CHUNK + 16
    first, second = whole[head : head + step], whole[head + step : head + 2 * step]
    return {
        "another key": (whole, os.urandom(32), "key"),
        "cut between two chunks": (whole[: head + 2 * step], KEY, "bytes"),
        "cut within a chunk": (whole[:-3], KEY, "bytes"),
        "nothing after the name": (whole[:head], KEY, "bytes"),
        "cut within the name": (whole[:100], KEY, "key"),
        "two chunks exchanged": (whole[:head] + second + first + whole[head + 2 * step :], KEY, "bytes"),
        "a chunk twice": (whole[: head + step] + first + whole[head + step :], KEY, "bytes"),
        "bytes after the end": (whole + b"x", KEY, "bytes"),
        "a bit of the content": (whole[:-1] + bytes([whole[-1] ^ 1]), KEY, "bytes"),
        "a bit of the name": (whole[:40] + bytes([whole[40] ^ 1]) + whole[41:], KEY, "key"),
        "a bit of the salt": (whole[:12] + bytes([whole[12] ^ 1]) + whole[13:], KEY, "key"),
        "a name of 64 KB": (whole[:25] + b"\xff\xff" + whole[27:], KEY, "form"),
        "another form": (b"PK\x03\x04" + whole, KEY, "form"),
        "nothing": (b"", KEY, "form"),
    }


@pytest.mark.parametrize("what", _broken())
def test_the_program_keeps_nothing_of_what_was_changed(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data, key, _why = _broken()[what]
    Path("given").write_bytes(data)
    with pytest.raises(open_sealed.DamagedError):
        open_sealed.save("given", key)
    assert os.listdir() == ["given"]


def test_the_program_tells_when_one_file_was_given_for_another(tmp_path):
    (tmp_path / "1.sealed").write_bytes(sealed(b"2026", "2026/marks.pdf"))
    (tmp_path / "2.sealed").write_bytes(sealed(b"2026", "2026/marks.pdf"))
    (tmp_path / "3.sealed").write_bytes(sealed(b"2025", "2025/marks.pdf", salt=b"t" * 16))
    done = run(tmp_path, link(), "1.sealed", "2.sealed", "3.sealed")
    assert done.stdout.splitlines() == [
        "1.sealed: marks.pdf (its sender called it 2026/marks.pdf)",
        "3.sealed: marks (2).pdf (its sender called it 2025/marks.pdf)",
    ]
    assert done.returncode == 1 and "2.sealed: it is the same as 1.sealed" in done.stderr
    other = run(tmp_path, "--name", "2026/marks.pdf", link(), "3.sealed")
    assert other.returncode == 1 and "its sender called it 2025/marks.pdf" in other.stderr and not other.stdout
    assert run(tmp_path, "--name", "2025/marks.pdf", link(), "3.sealed").returncode == 0


def test_the_script_tells_which_file_it_is(tmp_path):
    (tmp_path / "a").write_bytes(sealed(b"x", "a.txt"))
    said = node(
        """
        let told;
        await window.sealed.open(streamOf(fs.readFileSync(given.file), 100), window.sealed.keyIn(given.key), (what) => { told = what; }, () => 0);
        const made = window.sealed.seal(new Blob(["x"]), "a.txt", window.sealed.keyIn(given.key)), parts = await made.slice(0, made.size);
        await window.sealed.open(parts.stream(), window.sealed.keyIn(given.key), (what) => { told.again = what.salt === made.salt; }, () => 0);
        console.log(JSON.stringify(told));
        """,
        file=str(tmp_path / "a"), key=link().partition("#")[2],
    )  # fmt: skip
    salt = base64.urlsafe_b64encode(SALT).decode().rstrip("=")
    assert json.loads(said) == {"name": "a.txt", "type": "text/plain", "salt": salt, "again": True}


def test_the_script_tells_what_was_changed(tmp_path):
    cases = _broken()
    for number, (data, _key, _why) in enumerate(cases.values()):
        (tmp_path / str(number)).write_bytes(data)
    said = node(
        """
        const said = [];
        for (const [number, key] of given.keys.entries()) {
          await window.sealed.open(streamOf(fs.readFileSync(`${given.folder}/${number}`), 100000), window.sealed.keyIn(key), () => 0, () => 0)
            .then(() => said.push("whole"), (error) => said.push(error.damaged || String(error)));
        }
        console.log(JSON.stringify(said));
        """,
        folder=str(tmp_path), keys=[link(key).partition("#")[2] for _data, key, _why in cases.values()],
    )  # fmt: skip
    assert dict(zip(cases, json.loads(said), strict=True)) == {what: why for what, (_data, _key, why) in cases.items()}


def test_names_for_the_page_are_sealed_too():
    said = node(
        """
        const key = window.sealed.newKey(), text = await window.sealed.sealText(given.text, key);
        const other = await window.sealed.openText(text, window.sealed.newKey()).catch((error) => error.damaged);
        const none = await window.sealed.openText("nothing", key).catch((error) => error.damaged);
        console.log(JSON.stringify([(await window.sealed.openText(text, key)).trim(), text.includes("Martin"), other, none,
          window.sealed.keyIn("#" + window.sealed.packed(key)).length, window.sealed.keyIn("#abc"), window.sealed.keyIn("")]));
        """,
        text="Zoé Martin.odt",
    )  # fmt: skip
    assert json.loads(said) == ["Zoé Martin.odt", False, "key", "form", 32, None, None]


def test_an_archive_is_one_that_others_read(tmp_path):
    """However small its files are, `write` gets few parts."""
    files = {f"Été/{number}.txt": os.urandom(number) for number in range(300)} | {"film": os.urandom(3 * CHUNK + 5), "none": b""}
    (tmp_path / "given.json").write_text(json.dumps({name: base64.b64encode(data).decode() for name, data in files.items()}))
    parts = node(
        """
        eval(fs.readFileSync(given.zip, "utf8"));
        const out = [], archive = window.zipped(async (bytes) => { out.push(Buffer.from(bytes)); });
        for (const [name, text] of Object.entries(JSON.parse(fs.readFileSync(`${given.folder}/given.json`)))) {
          const data = new Uint8Array(Buffer.from(text, "base64"));
          await archive.begin(name);
          for (let at = 0; at < data.length; at += 1000000) await archive.write(data.slice(at, at + 1000000));
          await archive.done();
        }
        await archive.end();
        fs.writeFileSync(`${given.folder}/made.zip`, Buffer.concat(out));
        console.log(out.length);
        """,
        zip=str(SCRIPT.parent / "zip.js"), folder=str(tmp_path),
    )  # fmt: skip
    assert int(parts) <= 6
    with zipfile.ZipFile(tmp_path / "made.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_the_page_that_opens_files_has_light_scripts():
    pages = (STATIC.parent / "templates" / "transfers" / "public" / name for name in ("files.html", "sealed.html"))
    scripts = {name for page in pages for name in re.findall(r"js/transfers/\w+\.js", page.read_text())}
    assert len(scripts) == 5
    assert sum(len(gzip.compress((STATIC / name).read_bytes())) for name in scripts) <= 11 * 1024
    assert len(gzip.compress((SCRIPT.parent / "save_worker.js").read_bytes())) <= 2 * 1024


@pytest.mark.parametrize(
    ("given", "kept"),
    [("../../etc/passwd", "passwd"), ("a\\..\\b.txt", "b.txt"), ("..", "file"), ("", "file"), ("a\nb:c.txt", "a_b_c.txt")],
)
def test_names_lead_nowhere(given, kept, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_sealed.harmless(given) == kept
    Path("given").write_bytes(sealed(b"new", given))
    Path(kept).write_bytes(b"old")
    assert open_sealed.save("given", KEY)[1] != kept
    assert Path(kept).read_bytes() == b"old"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, timeout=30)


def test_it_runs_as_a_command(tmp_path):
    (tmp_path / "one").write_bytes(sealed(b"first", "one.txt"))
    (tmp_path / "two").write_bytes(sealed(b"second", "two.txt", salt=b"t" * 16)[:-1])

    done = run(tmp_path, link(), "one", "two", "three")
    assert (tmp_path / "one.txt").read_bytes() == b"first"
    assert (done.returncode, done.stdout) == (1, "one: one.txt\n")
    assert "two: it was changed or cut off" in done.stderr and "three: " in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["one", "one.txt", "two"]
    assert run(tmp_path, link()[:-5], "one").returncode == 1
    assert "LINK" in run(tmp_path).stderr
