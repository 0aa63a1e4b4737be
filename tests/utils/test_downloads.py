"""get_file against a server of one's own, and archives that lead out of their folder."""

import hashlib
import io
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from layerkit.utils import get_file

BODY = b"some data\n" * 10_000


class _Handler(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        type(self).asked += 1
        if self.path == "/none":
            self.send_error(404, "nothing here")
            return
        self.send_response(200)
        # A connection that breaks: fewer bytes than were promised.
        self.send_header("Content-Length", str(len(BODY) + (self.path == "/short.txt")))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *args):
        """Nothing on the terminal."""


@pytest.fixture
def server():
    _Handler.asked = 0
    serving = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=serving.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    thread.join()
    serving.server_close()


def test_a_file_is_downloaded_once(server, tmp_path):
    paths = [get_file(origin=f"{server}/data.txt", cache_dir=tmp_path, cache_subdir="here") for _ in range(2)]
    assert paths == [str(tmp_path / "here" / "data.txt")] * 2
    assert (tmp_path / "here" / "data.txt").read_bytes() == BODY
    assert _Handler.asked == 1
    get_file(origin=f"{server}/data.txt", cache_dir=tmp_path, cache_subdir="here", force_download=True)
    assert _Handler.asked == 2


def test_checksums(server, tmp_path):
    where = {"origin": f"{server}/data.txt", "cache_dir": tmp_path}
    sha, md5 = hashlib.sha256(BODY).hexdigest(), hashlib.md5(BODY).hexdigest()
    path = get_file("a", **where, file_hash=sha)
    (tmp_path / "datasets" / "a").write_bytes(b"broken")
    assert get_file("a", **where, md5_hash=md5) == path
    assert (tmp_path / "datasets" / "a").read_bytes() == BODY
    with pytest.raises(ValueError, match="has the checksum .* not 000: it was not kept"):
        get_file("b", **where, file_hash="000")
    with pytest.raises(ValueError, match="`hash_algorithm` must be 'auto', 'md5' or 'sha256', got 'crc'"):
        get_file("a", **where, file_hash=sha, hash_algorithm="crc")
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == ["a"]


@pytest.mark.parametrize(("path", "message"), [("/none", "404"), ("/short.txt", "100000 of 100001 bytes came")])
def test_what_fails_leaves_nothing(server, tmp_path, path, message):
    with pytest.raises(OSError, match=message):
        get_file("a", f"{server}{path}", cache_dir=tmp_path)
    assert not list((tmp_path / "datasets").iterdir())


def test_names():
    with pytest.raises(ValueError, match="needs `origin`"):
        get_file("a")
    for name in ("../a", "a/b", ".."):
        with pytest.raises(ValueError, match="one without folders"):
            get_file(name, "http://localhost/a")
    with pytest.raises(ValueError, match="pass `fname`"):
        get_file(origin="http://localhost/")


def _archive(path, names, kind):
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as file:
            for name in names:
                file.writestr(name, b"x")
        return path.as_uri()
    with tarfile.open(path, f"w:{kind}") as file:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = 1
            file.addfile(entry, io.BytesIO(b"x"))
    return path.as_uri()


@pytest.mark.parametrize("kind", ["zip", "gz", "bz2"])
def test_archives(tmp_path, kind):
    url = _archive(tmp_path / f"set.{kind}", ["set/a.txt", "set/b/c.txt"], kind)
    folder = get_file(origin=url, cache_dir=tmp_path / "cache", extract=True)
    assert folder == str(tmp_path / "cache" / "datasets" / f"set.{kind}")
    assert (tmp_path / "cache" / "datasets" / f"set.{kind}" / "set" / "b" / "c.txt").read_bytes() == b"x"
    assert get_file("mine.tar.gz", url, cache_dir=tmp_path / "cache", extract=True).endswith("mine_extracted")


@pytest.mark.parametrize("name", ["../evil.txt", "/tmp/evil_of_a_test.txt", "a/../../evil.txt"])
def test_a_zip_that_leads_out_is_refused(tmp_path, name):
    url = _archive(tmp_path / "set.zip", ["good.txt", name], "zip")
    with pytest.raises(ValueError, match="would be outside of the destination"):
        get_file(origin=url, cache_dir=tmp_path / "cache", extract=True)
    assert [path.name for path in (tmp_path / "cache" / "datasets").iterdir()] == ["set.zip_archive"]


@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt"])
def test_a_tar_that_leads_out_is_refused(tmp_path, name):
    url = _archive(tmp_path / "set.tar", ["good.txt", name], "")
    with pytest.raises(ValueError, match="was not unpacked"):
        get_file(origin=url, cache_dir=tmp_path / "cache", untar=True)
    assert not list(tmp_path.glob("**/evil.txt"))


def test_a_tar_with_a_link_that_leads_out_is_refused(tmp_path):
    with tarfile.open(tmp_path / "set.tar", "w") as file:
        entry = tarfile.TarInfo("link")
        entry.type, entry.linkname = tarfile.SYMTYPE, "../../outside"
        file.addfile(entry)
    with pytest.raises(ValueError, match="was not unpacked"):
        get_file(origin=(tmp_path / "set.tar").as_uri(), cache_dir=tmp_path / "cache", extract=True)


def test_what_is_no_archive(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"text")
    with pytest.raises(ValueError, match="is no archive of the kind tar or zip"):
        get_file(origin=(tmp_path / "a.txt").as_uri(), cache_dir=tmp_path / "cache", extract=True)
    with pytest.raises(ValueError, match="`archive_format` must be 'auto', 'tar' or 'zip', got 'rar'"):
        get_file(origin=(tmp_path / "a.txt").as_uri(), cache_dir=tmp_path / "cache", extract=True, archive_format="rar")
