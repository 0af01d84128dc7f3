"""Links to code lead to the code of the version, or of the layer, that was asked for."""

import pytest
from support import archive, download, returning

pytestmark = pytest.mark.behaviour("version_code")
ONE, TWO = returning("one"), returning("two")


@pytest.fixture
def located(aws):
    """The function's code as GetFunction links to it."""
    aws.function(ONE)
    aws.publish()
    aws.version(TWO)
    aws.lambda_.create_alias(FunctionName="f", Name="first", FunctionVersion="1")

    def get(**qualifier) -> str:
        return aws.lambda_.get_function(FunctionName="f", **qualifier)["Code"]["Location"]

    return get


@pytest.mark.localstack
def test_a_version_links_to_its_own_code(located):
    assert download(located(Qualifier="1")) == (200, archive(ONE))
    assert download(located(Qualifier="2")) == (200, archive(TWO))


@pytest.mark.localstack
def test_an_alias_links_to_the_code_of_its_version(located):
    assert download(located(Qualifier="first")) == (200, archive(ONE))


@pytest.mark.localstack
def test_no_qualifier_links_to_the_latest_code(located):
    assert download(located()) == (200, archive(TWO))


@pytest.mark.not_localstack("its time cannot be moved")
def test_a_link_ends_after_ten_minutes(aws, located):
    link = located(Qualifier="1")
    assert download(link)[0] == 200
    aws.advance(601)
    assert download(link)[0] == 404
    assert download(located(Qualifier="1"))[0] == 200


@pytest.mark.localstack
def test_a_layer_version_links_to_its_own_content(aws):
    files = [{"python/shared.py": "N = 1\n"}, {"python/shared.py": "N = 2\n"}]
    published = [
        aws.lambda_.publish_layer_version(LayerName="shared", Content={"ZipFile": archive(content)})
        for content in files
    ]
    assert [download(layer["Content"]["Location"]) for layer in published] == [(200, archive(one)) for one in files]
    first = aws.lambda_.get_layer_version(LayerName="shared", VersionNumber=1)
    same = aws.lambda_.get_layer_version_by_arn(Arn=published[0]["LayerVersionArn"])
    assert download(first["Content"]["Location"]) == (200, archive(files[0]))
    assert download(same["Content"]["Location"]) == (200, archive(files[0]))


@pytest.mark.not_localstack("its links are those of its S3, readable and signed")
def test_a_link_tells_nothing_and_does_not_repeat(located):
    links = [located(), located()]
    assert len(set(links)) == 2
    assert all("_download/" in link and "/f" not in link.partition("_download")[2] for link in links)
