"""What lab.package() puts beside a function's own code."""

import io
import json
import subprocess
import sys
import zipfile

import pytest

from cloudkata.deployment.packages import DISTRIBUTIONS, offers
from kata_lab.lab import Lab, LabError

POWERTOOLS = "aws-lambda-powertools"


@pytest.fixture
def lab(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "worker.py").write_text("ANSWER = 42\n")

    def make(names=DISTRIBUTIONS):
        packages = {name: {"files": offer.files, "problem": offer.problem} for name, offer in offers(names).items()}
        return Lab(
            folder=str(tmp_path), prefix="kata00", region="us-east-1", account="1" * 12, poll=0, packages=packages
        )

    return make


def test_a_package_comes_with_all_that_it_needs(lab, tmp_path):
    with zipfile.ZipFile(io.BytesIO(lab().package("app", requirements=(POWERTOOLS,)))) as archive:
        archive.extractall(tmp_path / "task")
    source = "import sys; sys.path.append(sys.argv[1]); import worker, json, aws_lambda_powertools.utilities.batch as b, jmespath"
    source += "; print(json.dumps([worker.ANSWER, b.__file__, jmespath.__file__]))"
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", source, str(tmp_path / "task")], capture_output=True, text=True, check=True
    )
    answer, *files = json.loads(ran.stdout)
    assert answer == 42 and all(file.startswith(str(tmp_path / "task")) for file in files)


def test_the_same_files_make_the_same_archive(lab):
    assert lab().package("app", requirements=(POWERTOOLS,)) == lab().package(
        "app", requirements=("AWS_Lambda.Powertools",)
    )


def test_own_code_comes_before_a_package_of_the_same_name(lab, tmp_path):
    (tmp_path / "app" / "typing_extensions.py").write_text("mine = 1\n")
    made = lab().package("app", requirements=(POWERTOOLS,))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.read("typing_extensions.py") == b"mine = 1\n"


@pytest.mark.parametrize("name", ["requests", "aws-lambda-powertools==3.37.0", ""])
def test_what_is_not_offered_gets_a_sentence(lab, name):
    with pytest.raises(LabError, match="is not a package that lab"):
        lab().package("app", requirements=(name,))


def test_what_is_not_installed_gets_a_sentence(lab):
    with pytest.raises(LabError, match='the package "no-such-package" is not installed'):
        lab(("no-such-package",)).package("app", requirements=("no-such-package",))


def test_what_is_not_pure_python_gets_a_sentence(lab):
    with pytest.raises(LabError, match="is not pure Python"):
        lab(("cryptography",)).package("app", requirements=("cryptography",))
