"""Many files: which go together, what is done already, what is left out and why; and videos of folders."""

from pathlib import Path

import pytest
from people import picture
from test_cli import assert_refused, run  # noqa: F401  pytest finds the fixture here

from stylemask_demo.batch import plan
from stylemask_demo.errors import UnreadableMedia, WrongSetting
from stylemask_demo.media.videos import read_frames, write_video


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two people and a letter, and two others."""
    for folder, names in (("who", ("900000_0", "900001_0")), ("how", ("900003_1", "900020_1"))):
        (tmp_path / folder).mkdir()
        for name in names:
            picture(name).save(tmp_path / folder / f"{name}.png")
    (tmp_path / "who" / ".hidden").write_text("not meant")
    return tmp_path / "who", tmp_path / "how"


def test_files_go_in_pairs_one_with_all_or_all_with_all(tmp_path: Path, folders) -> None:
    def names(*arguments, **how) -> list[str]:
        return [job.output.name for job in plan(*map(str, arguments), str(tmp_path / "new" / "out"), ".png", **how)]

    who, how = folders
    assert names(who, how) == ["900000_0--900003_1.png", "900001_0--900020_1.png"]
    assert names(who / "900000_0.png", how) == ["900000_0--900003_1.png", "900000_0--900020_1.png"]
    assert len(names(who, how, matrix=True)) == len(set(names(who, how, matrix=True))) == 4
    (who / "900000_0.jpg").write_text("of the same name")
    with pytest.raises(WrongSetting, match="3 sources and 2 to follow"):
        names(who, how)
    assert "900000_0.jpg--900003_1.png" in names(who, how, matrix=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableMedia, match="no file in this folder"):
        names(tmp_path / "empty", how)


@pytest.mark.slow
def test_a_batch_goes_on_where_it_stopped_and_says_what_it_left_out(tmp_path: Path, folders, run) -> None:  # noqa: F811
    who, how = folders
    (who / "letter.png").write_text("Dear reader")
    done = run("batch", who, how / "900003_1.png", "-o", tmp_path / "out")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 2
    assert done.stderr.count("\n") == 1
    assert "left out: letter--900003_1.png" in done.stderr and "letter.png' is no picture" in done.stderr
    made = tmp_path / "out" / "900001_0--900003_1.png"
    made.unlink()
    again = run("batch", who, how / "900003_1.png", "-o", tmp_path / "out")
    assert again.stdout == f"{made}\n"
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["900000_0--900003_1.png", made.name]
    (tmp_path / "letters").mkdir()
    (who / "letter.png").rename(tmp_path / "letters" / "letter.png")
    refused = run("batch", tmp_path / "letters", how, "-o", tmp_path / "none")
    assert refused.returncode == 2 and "Nothing could be made" in refused.stderr


@pytest.mark.slow
def test_a_folder_of_videos_drives(tmp_path: Path, folders, run) -> None:  # noqa: F811
    (tmp_path / "films").mkdir()
    write_video(tmp_path / "films" / "a.mp4", [picture("900003_1")] * 2, fps=10)
    (tmp_path / "films" / "b.mp4").write_text("no film")
    done = run("drive", folders[0] / "900000_0.png", tmp_path / "films", "-o", tmp_path / "out", "--format", "gif")
    assert done.returncode == 0 and done.stdout == f"{tmp_path / 'out' / '900000_0--a.gif'}\n"
    assert "b.mp4' is no video" in done.stderr
    assert len(list(read_frames(tmp_path / "out" / "900000_0--a.gif"))) == 2
