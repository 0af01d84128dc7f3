"""`kata check`, `matrix` and `doctor` on an emulator that runs already, as a person types it."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
import typer

from cloudkata.cli.doctor import doctor
from cloudkata.targets import probes

sys.path.insert(0, str(Path(__file__).parents[1] / "targets"))

from plain_ministack import ministack  # noqa: E402


@pytest.fixture(scope="module")
def url():
    with tempfile.TemporaryDirectory(prefix="kt-") as folder, ministack(Path(folder)) as running:
        yield running


def test_a_lab_is_proved_on_an_endpoint(mini, url):
    said = mini.kata("check", "01", "--solution", "--target", "endpoint", "--endpoint-url", url, "--json", "out.json")
    assert "on the endpoint, isolation:" in said.stdout and "The endpoint proved it." in said.stdout
    report = json.loads((mini.folder / "out.json").read_text())
    assert report["target"] == "endpoint" and {check["status"] for check in report["checks"]} == {"passed"}


def test_a_wrong_belief_fails_on_an_endpoint_too(mini, url):
    name = "any-key"
    said = mini.kata("check", "00", "--variant", name, "--endpoint-url", url, expect=1)
    assert "NOT YET" in said.stdout and "Not taken down" not in said.stdout
    # what fails there may be the emulator's fault: no belief is named, and the learner is told how to find out
    assert "belief" not in said.stdout
    assert "The embedded engine tells whether it is your code or the endpoint." in " ".join(said.stdout.split())


def test_what_is_kept_is_named(mini, url):
    said = mini.kata("check", "00", "--solution", "--endpoint-url", url, "--keep").stdout
    assert f"It is still deployed at {url}, account " in said and "names that begin with kata00-" in said


def needing(mini, slug: str, check: str, *behaviours: str) -> None:
    """Have one check of a lab need behaviours."""
    (file,) = (mini.folder / "checks" / slug).glob("test_*.py")
    text = file.read_text()
    assert text.count(check) == 1
    file.write_text(text.replace(check, f"{check}, needs={list(behaviours)!r}"))


def test_what_the_endpoint_does_not_show_is_skipped_with_the_reason(mini, url):
    needing(mini, "01-script", '@check(task="count", after=["01.adds-up"]', "clock.advance")
    said = mini.kata("check", "01", "--solution", "--endpoint-url", url, "--all", "--json", "out.json")
    found = json.loads((mini.folder / "out.json").read_text())["checks"]
    skipped = [check for check in found if check["status"] == "skipped"]
    assert len(skipped) == 1 and skipped[0]["why"].startswith("This target does not show clock.advance (")
    assert skipped[0]["why"].endswith("The embedded target can.")
    assert "? skipped" in said.stdout and ", 1 skipped. The endpoint proved it." in said.stdout


def test_a_task_of_which_nothing_can_be_shown_is_not_held_against_anybody(mini, url):
    needing(mini, "01-script", '@check(task="deploy"', "clock.advance")
    said = mini.kata("check", "01", "--solution", "--endpoint-url", url, "--task", "deploy", expect=3)
    assert "SKIPPED" in said.stdout and "nothing of this can be shown there" in " ".join(said.stdout.split())


def test_a_lab_whose_service_is_missing_is_skipped_as_a_whole(mini, url):
    manifest = mini.folder / "labs" / "00-table" / "lab.toml"
    manifest.write_text('needs = ["requests.log"]\n' + manifest.read_text())
    said = mini.kata("check", "00", "--solution", "--endpoint-url", url, "--json", "out.json", expect=3)
    assert "lab 00 cannot be deployed there" in " ".join(said.stdout.split()) and "SKIPPED" in said.stdout
    report = json.loads((mini.folder / "out.json").read_text())
    assert {check["status"] for check in report["checks"]} == {"skipped"}
    mini.kata("check", "00", "--solution")  # the embedded engine is not asked


def test_the_matrix_holds_on_an_endpoint(mini, url):
    said = mini.kata("matrix", "00", "--workers", "1", "--endpoint-url", url)
    assert "The matrix of 00-table holds" in said.stdout


def test_doctor_asks_an_endpoint_the_same_questions(url, tmp_path, monkeypatch, capsys):
    few = {name: probes._probes()[name] for name in ("lambda.invoke", "lambda.weight-rules")}
    monkeypatch.setattr(probes, "_probes", lambda: few)
    with pytest.raises(typer.Exit) as ended:
        doctor(json_file=str(tmp_path / "out.json"), endpoint_url=url)
    assert "On the endpoint target" in capsys.readouterr().out
    found = {one["behaviour"]: one["shown"] for one in json.loads((tmp_path / "out.json").read_text())["behaviours"]}
    assert found == {"lambda.invoke": True, "lambda.weight-rules": False}
    assert ended.value.exit_code == 0  # an endpoint need not show everything


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["check", "00", "--target", "endpoint"], 4, "--target endpoint needs --endpoint-url URL"),
        (["check", "00", "--target", "moon"], 4, 'there is no target "moon"'),
        (["check", "00", "--target", "embedded", "--endpoint-url", "http://127.0.0.1:1"], 4, "not with embedded"),
        (["check", "00", "--endpoint-url", "nowhere"], 4, "is not the URL of an endpoint"),
        (["check", "00", "--outputs", "o.json", "--endpoint-url", "http://127.0.0.1:1"], 4, "o.json cannot be read"),
        (
            ["check", "00", "--solution", "--endpoint-url", "http://127.0.0.1:1"],
            3,
            "nobody answers at http://127.0.0.1:1",
        ),
        (["doctor", "--endpoint-url", "http://127.0.0.1:1"], 3, "nobody answers at http://127.0.0.1:1"),
        (["matrix", "00", "--record", "--endpoint-url", "http://127.0.0.1:1"], 4, "do not go together"),
        (["matrix", "00", "--endpoint-url", "http://127.0.0.1:x"], 4, "is not a URL"),
    ],
)
def test_what_cannot_be_is_a_sentence(mini, words, status, said):
    shutil.rmtree(mini.folder / "workspace", ignore_errors=True)
    done = mini.kata(*words, expect=status)
    assert said in " ".join((done.stdout + done.stderr).split())
