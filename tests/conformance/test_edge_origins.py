"""What a bucket says to a distribution of an object that is not there."""

import pytest
from edge import NO_CLOUDFRONT, allow, site

pytestmark = [pytest.mark.behaviour("edge_origins"), pytest.mark.not_localstack(NO_CLOUDFRONT)]


def test_a_distribution_that_may_list_is_told_that_there_is_nothing(aws):
    assert site(aws).get("/none.txt").status == 404


@pytest.mark.ministack
def test_a_distribution_that_may_not_list_is_refused(aws):
    made = site(aws)
    allow(made, {"s3:GetObject": "/*"})
    assert made.get("/none.txt").status == 403


@pytest.mark.ministack
def test_what_is_denied_is_refused_whether_it_is_there_or_not(aws):
    made = site(aws)
    allow(made, {"s3:GetObject": "/*", "s3:ListBucket": ""}, deny="drafts/")
    made.put("drafts/a.txt")
    assert [made.get(path).status for path in ("/drafts/a.txt", "/drafts/none.txt")] == [403, 403]
