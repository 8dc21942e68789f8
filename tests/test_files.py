"""Files and folders that are written whole or not at all, and set aside rather than lost."""

import pytest

from bloodcell_utils.errors import BloodcellError, DataError
from bloodcell_utils.files import replace_file, set_aside, write_folder


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new" / "file"
    replace_file(path, b"first")
    replace_file(path, b"second")
    monkeypatch.setattr(type(path), "replace", lambda *args: (_ for _ in ()).throw(OSError("No space left")))
    with pytest.raises(BloodcellError, match="cannot be written: No space left"):
        replace_file(path, b"third")
    assert path.read_bytes() == b"second" and [p.name for p in path.parent.iterdir()] == ["file"]


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BloodcellError, match="cannot be written"):
        replace_file(tmp_path / "file" / "inside", b"")


def test_what_is_set_aside_takes_a_name_that_is_free(tmp_path):
    path = tmp_path / "progress.json"
    for content in ("first", "second"):
        path.write_text(content)
        set_aside(path)
    kept = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert kept == {"progress.1.json": "first", "progress.2.json": "second"}


def test_a_function_writes_the_file(tmp_path):
    replace_file(tmp_path / "new" / "file", lambda file: [file.write(part) for part in (b"in ", b"parts")])
    assert (tmp_path / "new" / "file").read_bytes() == b"in parts"


@pytest.mark.parametrize("error", [OSError("No space left"), KeyboardInterrupt(), ValueError("not a number")], ids=repr)
def test_what_breaks_off_while_writing_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"first")

    def write(file):
        file.write(b"half")
        raise error

    expected = BloodcellError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected) as caught:
        replace_file(path, write, remedy="Free some space.")
    if expected is BloodcellError:
        assert str(caught.value).endswith("cannot be written: No space left. Free some space.")
    assert path.read_bytes() == b"first" and [p.name for p in tmp_path.iterdir()] == ["file"]


def test_two_arrive_under_different_hidden_names(tmp_path):
    names = []
    for _ in range(2):
        replace_file(tmp_path / "file", lambda file: names.append(file.name))
    assert len(set(names)) == 2 and all(name.startswith(str(tmp_path / ".file.")) for name in names)


def test_a_folder_is_written_once(tmp_path):
    folder = tmp_path / "new" / "set"
    write_folder(folder, [("a/1.txt", b"one"), ("2.txt", b"two")], "about")
    write_folder(folder, iter(pytest.fail, None), "about")
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.txt")}
    assert found == {"a/1.txt": b"one", "2.txt": b"two", "README.txt": b"about"}
    assert [p.name for p in folder.parent.iterdir()] == ["set"]


def test_another_folder_is_left_alone_but_an_empty_one_is_filled(tmp_path):
    (tmp_path / "mine").write_text("keep me")
    with pytest.raises(DataError, match="holds something else"):
        write_folder(tmp_path, [], "about")
    with pytest.raises(DataError, match="holds something else"):
        write_folder(tmp_path / "mine", [], "about")
    (tmp_path / "empty").mkdir()
    write_folder(tmp_path / "empty", [], "about")
    assert (tmp_path / "mine").read_text() == "keep me" and (tmp_path / "empty" / "README.txt").exists()


def test_an_interruption_leaves_no_folder(tmp_path):
    def files():
        yield "1.txt", b"one"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "set", files(), "about")
    assert not list(tmp_path.iterdir())
