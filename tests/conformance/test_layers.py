"""Layers: where their files lie, which of two files wins, and who may use them."""

import pytest
from support import archive, download, eventually, refusal, returning

pytestmark = pytest.mark.behaviour("layers")
WHO = "def handle(event, context):\n    import who\n    return [who.NAME, who.__file__]\n"
IMAGE = {"PackageType": "Image", "Code": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop:1"}}
_HOST_MODE = pytest.mark.not_localstack("in host mode each layer has a folder of its own on the host")


def publish(account, files, name="who") -> str:
    """A new version of a layer with these files; its ARN."""
    content = {"ZipFile": archive(files)}
    return account.lambda_.publish_layer_version(LayerName=name, Content=content)["LayerVersionArn"]


def named(who: str, path: str = "python/who.py") -> dict[str, str]:
    return {path: f"NAME = {who!r}\n"}


def attach(account, layers: list[str], name: str = "f") -> None:
    account.lambda_.update_function_configuration(FunctionName=name, Layers=layers)
    account.settled(name)


def grant(account, arn: str, principal: str, sid: str = "share", **condition) -> None:
    layer, _, number = arn.rpartition(":")
    account.lambda_.add_layer_version_permission(
        LayerName=layer.rpartition(":")[2],
        VersionNumber=int(number),
        StatementId=sid,
        Action="lambda:GetLayerVersion",
        Principal=principal,
        **condition,
    )


def use(account, arn: str):
    """What creating a function with this layer comes to."""
    account.role()
    return refusal(lambda: account.create(WHO, f"uses-{arn.replace(':', '-')[-40:]}", Layers=[arn]))


# --- files and their order ------------------------------------------------------------------------------------------


@_HOST_MODE
@pytest.mark.ministack
def test_of_two_files_at_one_path_the_later_layers_wins(aws):
    first, second = publish(aws, named("first"), "one"), publish(aws, named("second"), "two")
    aws.function(WHO, Layers=[first, second])
    one_way = aws.invoke().payload[0]
    attach(aws, [second, first])
    assert [one_way, aws.invoke().payload[0]] == ["second", "first"]


@_HOST_MODE
def test_folders_of_one_name_are_merged(aws):
    one = publish(aws, {"python/shop/__init__.py": "", "python/shop/a.py": "X = 1\n"}, "one")
    two = publish(aws, {"python/shop/b.py": "X = 2\n"}, "two")
    aws.function(
        "def handle(event, context):\n    try:\n        from shop import a, b\n    except ImportError:\n        return []\n"
        "    return [a.X, b.X]\n",
        Layers=[one, two],
    )
    assert aws.invoke().payload == [1, 2]


@pytest.mark.isolated("only a sandbox has /opt")
@_HOST_MODE
def test_the_site_packages_of_the_runtime_come_before_python(aws):
    """Whatever the order of the layers: "the later one wins" is about one and the same path."""
    site = publish(aws, named("site", "python/lib/python3.12/site-packages/who.py"), "site")
    plain = publish(aws, named("plain"), "plain")
    aws.function(WHO, Layers=[site, plain])
    assert aws.invoke().payload == ["site", "/opt/python/lib/python3.12/site-packages/who.py"]


@pytest.mark.isolated("only a sandbox has /opt")
@_HOST_MODE
def test_the_site_packages_are_those_of_the_functions_runtime(aws):
    layer = publish(aws, named("13", "python/lib/python3.13/site-packages/who.py"))
    aws.function(WHO, "new", Runtime="python3.13", Layers=[layer])
    aws.function(WHO, "old", Runtime="python3.12", Layers=[layer])
    found = [aws.invoke(name=name).payload for name in ("new", "old")]
    assert found[0] == ["13", "/opt/python/lib/python3.13/site-packages/who.py"]
    assert found[1]["errorType"] == "ModuleNotFoundError"


@pytest.mark.isolated("only a sandbox has /opt")
@_HOST_MODE
def test_files_at_the_root_are_in_opt_and_on_no_import_path(aws):
    layer = publish(aws, named("root", "who.py"))
    source = (
        "import importlib.util, os\n"
        "def handle(event, context):\n"
        "    return [os.path.exists('/opt/who.py'), importlib.util.find_spec('who') is None]\n"
    )
    aws.function(source, Layers=[layer])
    assert aws.invoke().payload == [True, True]


@pytest.mark.localstack
def test_the_functions_own_module_wins_over_every_layer(aws):
    site = publish(aws, named("site", "python/lib/python3.12/site-packages/who.py"), "site")
    aws.function({"app.py": WHO, "who.py": "NAME = 'own'\n"}, Layers=[publish(aws, named("plain")), site])
    assert aws.invoke().payload[0] == "own"


# --- versions -------------------------------------------------------------------------------------------------------


@pytest.mark.ministack
@pytest.mark.not_localstack("the free image does not put layers into functions")
def test_a_new_version_changes_no_function_until_it_is_named(aws):
    first = publish(aws, named("first"))
    aws.function(WHO, Layers=[first])
    second = publish(aws, named("second"))
    assert second.endswith(":2")
    aws.lambda_.update_function_configuration(FunctionName="f", Description="a fresh environment")
    aws.settled()
    before = aws.invoke().payload[0]
    attach(aws, [second])
    assert [before, aws.invoke().payload[0]] == ["first", "second"]


@pytest.mark.behaviour("version_code")
@pytest.mark.localstack
def test_a_version_keeps_its_content(aws):
    publish(aws, named("first"))
    publish(aws, named("second"))
    link = aws.lambda_.get_layer_version(LayerName="who", VersionNumber=1)["Content"]["Location"]
    assert download(link) == (200, archive(named("first")))


@pytest.mark.not_localstack("the free image does not put layers into functions")
def test_a_layer_is_named_by_its_arn_as_well(aws):
    layer = publish(aws, named("first")).rpartition(":")[0]
    assert publish(aws, named("second"), layer) == f"{layer}:2"
    listed = aws.lambda_.list_layer_versions(LayerName=layer)["LayerVersions"]
    assert [version["Version"] for version in listed] == [2, 1]
    aws.lambda_.delete_layer_version(LayerName=layer, VersionNumber=1)
    assert [entry["Version"] for entry in aws.lambda_.list_layer_versions(LayerName="who")["LayerVersions"]] == [2]


@pytest.mark.not_localstack("4.14 takes the ARN for a name there")
def test_a_permission_names_the_layer_by_its_arn_as_well(aws, other_aws):
    layer = publish(aws, named("mine"))
    name = layer.rpartition(":")[0]
    allow = {"StatementId": "share", "Action": "lambda:GetLayerVersion", "Principal": other_aws.number}
    assert refusal(lambda: aws.lambda_.add_layer_version_permission(LayerName=name, VersionNumber=1, **allow))[0] == ""
    assert use(other_aws, layer) == ("", 201)


@pytest.mark.ministack
@pytest.mark.localstack
def test_the_list_of_layers_is_replaced_as_a_whole(aws):
    who, other = publish(aws, named("who")), publish(aws, {"python/other.py": ""}, "other")
    aws.function(WHO, Layers=[who, other])
    attach(aws, [other])
    left = [layer["Arn"] for layer in aws.settled()["Layers"]]
    attach(aws, [])
    assert [left, aws.settled().get("Layers", [])] == [[other], []]


@pytest.mark.ministack
@pytest.mark.not_localstack("the free image does not put layers into functions")
def test_a_published_version_keeps_its_layers(aws):
    aws.function(WHO, Layers=[publish(aws, named("first"))])
    number = aws.publish()
    attach(aws, [publish(aws, named("second"))])
    assert [aws.invoke(Qualifier=number).payload[0], aws.invoke().payload[0]] == ["first", "second"]


@pytest.mark.ministack
@pytest.mark.not_localstack("the free image does not put layers into functions")
def test_a_deleted_version_goes_on_working_where_it_is_used(aws):
    layer = publish(aws, named("gone"))
    aws.function(WHO, Layers=[layer])
    aws.lambda_.delete_layer_version(LayerName="who", VersionNumber=1)
    aws.lambda_.update_function_configuration(FunctionName="f", Description="a fresh environment")
    aws.settled()
    assert aws.invoke().payload[0] == "gone"
    assert use(aws, layer)[0] == "InvalidParameterValueException"
    again = refusal(lambda: aws.lambda_.update_function_configuration(FunctionName="f", Layers=[layer]))
    assert again == ("InvalidParameterValueException", 400)


@pytest.mark.localstack
def test_two_versions_of_one_layer_are_refused(aws):
    both = [publish(aws, named("first")), publish(aws, named("second"))]
    assert refusal(lambda: aws.create(WHO, Layers=both)) == ("InvalidParameterValueException", 400)


# --- sharing --------------------------------------------------------------------------------------------------------


@pytest.mark.ministack
@pytest.mark.not_localstack("4.14 enforces no permission on layers")
def test_a_layer_is_private_until_its_version_is_granted(aws, other_aws):
    layer, later = publish(aws, named("mine")), publish(aws, named("later"))
    before = use(other_aws, layer)
    grant(aws, layer, other_aws.number)
    assert before == ("AccessDeniedException", 403)
    assert use(other_aws, layer) == ("", 201)
    assert use(other_aws, later) == ("AccessDeniedException", 403)
    assert refusal(lambda: other_aws.lambda_.get_layer_version_by_arn(Arn=layer)) == ("", 200)
    assert refusal(lambda: other_aws.lambda_.get_layer_version_by_arn(Arn=later))[1] == 403


@pytest.mark.ministack
@pytest.mark.not_localstack("4.14 enforces no permission on layers")
def test_a_grant_to_one_account_is_none_to_another(aws, other_aws):
    layer = publish(aws, named("mine"))
    grant(aws, layer, "123456789012")
    assert use(other_aws, layer) == ("AccessDeniedException", 403)
    grant(aws, layer, "*", "everybody")
    assert use(other_aws, layer) == ("", 201)


@pytest.mark.ministack
@pytest.mark.not_localstack("4.14 enforces no permission on layers")
def test_a_grant_to_an_organization_is_none_to_those_outside(aws, other_aws):
    layer = publish(aws, named("mine"))
    grant(aws, layer, "*", OrganizationId="o-abcdefghij")
    assert use(other_aws, layer) == ("AccessDeniedException", 403)


@pytest.mark.ministack
@pytest.mark.not_localstack("4.14 enforces no permission on layers")
def test_a_layer_goes_on_working_after_its_permission_is_revoked(aws, other_aws):
    layer = publish(aws, named("mine"))
    grant(aws, layer, other_aws.number)
    other_aws.function(WHO, Layers=[layer])
    aws.lambda_.remove_layer_version_permission(LayerName="who", VersionNumber=1, StatementId="share")
    assert use(other_aws, layer) == ("AccessDeniedException", 403)
    eventually(lambda: other_aws.settled()["State"] == "Active")
    assert other_aws.invoke().payload[0] == "mine"


@pytest.mark.not_localstack("4.14 enforces no permission on layers")
def test_a_layer_that_another_account_does_not_have_is_refused(aws):
    unknown = "arn:aws:lambda:us-east-1:123456789012:layer:nowhere:1"
    assert use(aws, unknown) == ("AccessDeniedException", 403)
    assert refusal(lambda: aws.lambda_.get_layer_version_by_arn(Arn=unknown))[1] == 403


# --- container images -----------------------------------------------------------------------------------------------


@pytest.mark.not_localstack("4.14 accepts them")
def test_a_function_from_an_image_takes_no_layers(aws):
    layer = publish(aws, named("mine"))
    create = lambda name, **more: aws.lambda_.create_function(  # noqa: E731
        FunctionName=name, Role=aws.role(), **IMAGE, **more
    )
    assert refusal(lambda: create("layered", Layers=[layer])) == ("InvalidParameterValueException", 400)
    assert refusal(lambda: create("f")) == ("", 201)
    aws.settled()
    update = lambda **more: aws.lambda_.update_function_configuration(FunctionName="f", **more)  # noqa: E731
    assert refusal(lambda: update(Layers=[layer])) == ("InvalidParameterValueException", 400)
    assert refusal(lambda: update(Timeout=7)) == ("", 200)


@pytest.mark.behaviour("function_environments")
@pytest.mark.not_localstack("it runs images in Docker")
def test_an_image_is_not_run_and_says_so(aws):
    aws.lambda_.create_function(FunctionName="f", Role=aws.role(), **IMAGE)
    aws.settled()
    answer = aws.invoke()
    assert answer.error
    assert "not container images" in answer.payload["errorMessage"]


@pytest.mark.ministack
@pytest.mark.localstack
def test_layers_of_a_zip_function_are_described(aws):
    layer = publish(aws, named("mine"))
    aws.function(returning(1), Layers=[layer])
    described = aws.settled()["Layers"]
    assert [entry["Arn"] for entry in described] == [layer]
    assert described[0]["CodeSize"] == len(archive(named("mine")))
