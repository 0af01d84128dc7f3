"""The shop's library and handlers as they run with their layers, and the release script on moto."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

ROOT = Path(__file__).parents[1]
LIBRARY = ("prices", "rates", "digitwords")
ACCOUNT = "210987654321"


def handler(monkeypatch, name, *layers):
    """A module of app/ or a script, with the layers' folders on the import path, the last layer first."""
    for module in (*LIBRARY, name, "release"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    folders = [ROOT / "app", *(ROOT / "layers" / layer / "python" for layer in reversed(layers)), ROOT]
    monkeypatch.setattr(sys, "path", [*map(str, folders), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    importlib.invalidate_caches()
    found = importlib.import_module(name)
    for module in (*LIBRARY, name):
        if module in sys.modules:
            monkeypatch.delitem(sys.modules, module)
    return found


def test_an_order_is_priced_item_by_item(monkeypatch):
    orders = handler(monkeypatch, "orders", "prices")
    assert orders.handler({"items": [50, 50]}, None) == {"total": 120}


@pytest.mark.parametrize(("layers", "gross"), [(("prices",), 60), (("prices", "austria"), 60), ((), None)])
def test_an_invoice_rounds_half_a_cent_up(monkeypatch, layers, gross):
    if gross is None:
        with pytest.raises(ModuleNotFoundError):
            handler(monkeypatch, "invoices")
        return
    invoices = handler(monkeypatch, "invoices", *layers)
    assert invoices.handler({"net": 50}, None) == {"net": 50, "gross": gross}


def test_an_invoice_is_at_the_rate_of_the_later_layer(monkeypatch):
    invoices = handler(monkeypatch, "invoices", "prices", "austria")
    answer = invoices.handler({"net": 1000, "words": True}, None)
    assert answer == {"net": 1000, "gross": 1200, "words": "one-two-zero-zero"}


@pytest.fixture
def lab(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield SimpleNamespace(outputs={}, client=lambda service: boto3.client(service, region_name="us-east-1"))


@pytest.fixture
def release(monkeypatch):
    return handler(monkeypatch, "release")


def test_a_version_is_told_from_its_layer(release):
    arn = "arn:aws:lambda:us-east-1:210987654321:layer:prices"
    assert release.layer_of(f"{arn}:12") == (arn, 12)
    assert release.name_of(arn) == "prices"


class Functions:
    """Lambda as release() sees it: functions with their layers, and what was asked to change."""

    def __init__(self, **functions):
        self.functions, self.granted = functions, []

    def publish_layer_version(self, LayerName, Content):
        return {"LayerVersionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:{LayerName}:7"}

    def get_function_configuration(self, FunctionName):
        layers = self.functions[FunctionName]
        if layers is None:
            return {"PackageType": "Image"}
        return {"PackageType": "Zip", "Layers": [{"Arn": arn} for arn in layers]}

    def update_function_configuration(self, FunctionName, Layers):
        self.functions[FunctionName] = Layers

    def get_waiter(self, name):
        return SimpleNamespace(wait=lambda **arguments: None)

    def add_layer_version_permission(self, **arguments):
        self.granted.append(arguments)


def test_a_release_changes_one_entry_of_each_list(release):
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:"
    functions = Functions(orders=[f"{arn}prices:3"], invoices=["before:1", f"{arn}prices:2", "behind:9"], image=None)
    lab = SimpleNamespace(outputs={"LayerArn": f"{arn}prices:3"}, client=lambda service: functions)
    answer = release.release(lab, "builds", "library.zip", ["orders", "image", "invoices"])
    assert answer == {"layer": f"{arn}prices:7", "moved": ["orders", "invoices"], "left": ["image"]}
    assert functions.functions["orders"] == [f"{arn}prices:7"]
    assert functions.functions["invoices"] == ["before:1", f"{arn}prices:7", "behind:9"]


def test_a_grant_names_the_version_and_the_account(release):
    functions = Functions()
    lab = SimpleNamespace(client=lambda service: functions)
    release.grant(lab, f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:prices:3", "123456789012")
    (granted,) = functions.granted
    assert granted["LayerName"] == "prices"
    assert (granted["VersionNumber"], granted["Principal"]) == (3, "123456789012")


def test_a_build_is_published_as_the_next_version(lab, release):
    s3 = lab.client("s3")
    s3.create_bucket(Bucket="builds")
    s3.put_object(Bucket="builds", Key="library.zip", Body=b"an archive")
    publish = lab.client("lambda").publish_layer_version
    lab.outputs["LayerArn"] = publish(LayerName="prices", Content={"ZipFile": b"x"})["LayerVersionArn"]
    answer = release.release(lab, "builds", "library.zip", [])
    assert answer == {"layer": lab.outputs["LayerArn"].removesuffix(":1") + ":2", "moved": [], "left": []}
