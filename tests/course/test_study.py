"""Cards, facts, exam guides and questions: complete, tied together, and right where a service model can tell."""

import functools
import gzip
import html
import json
import re
from datetime import date
from pathlib import Path

import botocore
import pytest

from cloudkata.course import CourseError, find_course
from cloudkata.course.lint_study import lint_study
from cloudkata.course.study import exam_on, load_cards, load_exams, load_facts, load_questions

COURSE = find_course(Path(__file__))
CARDS, FACTS, EXAMS, QUESTIONS = (load(COURSE) for load in (load_cards, load_facts, load_exams, load_questions))
IDS = (Path(__file__).parent / "card_ids.txt").read_text().split()


def test_nothing_dangles():
    assert lint_study(COURSE) == []


def test_no_card_is_lost_or_renamed():
    """An id never changes: people's schedules and evidence hang on it. New ones are added to the list."""
    assert sorted(CARDS) == IDS


@functools.cache
def model(service):
    folder = Path(botocore.__file__).parent / "data" / service
    newest = sorted(folder.glob("*/service-2.json.gz"))[-1]
    return json.loads(gzip.decompress(newest.read_bytes()))


def found_at(service, path):
    value = model(service)
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def plain(text):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text or "")))


@pytest.mark.parametrize("fact", FACTS.values(), ids=list(FACTS))
def test_the_service_model_says_so(fact):
    value = found_at(fact.service, fact.path)
    holds = {
        "equals": lambda: value == fact.expected,
        "has": lambda: value is not None and (fact.expected is None or fact.expected in value),
        "absent": lambda: value is None,
        "says": lambda: isinstance(value, str) and re.search(fact.expected, plain(value)) is not None,
    }[fact.kind]()
    seen = plain(value)[:300] if isinstance(value, str) else value
    assert holds, f"revise the card {fact.card}: {fact.service} {fact.path} is now {seen}"


def test_a_fact_can_fail():
    fact = FACTS["ddb-transact-100"].model_copy(update={"expected": 99})
    with pytest.raises(AssertionError, match="revise the card ddb-transactions"):
        test_the_service_model_says_so(fact)


# What common sources get wrong or what is no longer so: (card, what it must say, what it must not say as its answer).
ERRATA = [
    ("lambda-env-vars", r"publish a new version.*data in transit", r"without redeploy"),
    ("ddb-batch", r"`UnprocessedKeys` of BatchGetItem", r"UnprocessedItems` of BatchGetItem"),
    ("kinesis-shard-capacity", r"1,000 records and 1 MB a second, and both limits bind", r"1 MB/s or 1,000"),
    ("lambda-memory-cpu", r"3\.46", r"twice"),
    ("apigw-http-cheaper-60", r"71%.*latency", r"60% cheaper"),
    ("kinesis-enhanced-fanout", r"per shard", r"per stream"),
    ("middy-ssm-sample", r"default export.*setToContext", r"event\.ssm"),
    ("config-secrets-table", r"10,000 parameters.*history both have", r"4,000 parameters"),
    ("lambda-vpc-when", r"outside of it, it reaches AWS's public endpoints directly", r"needs a VPC endpoint"),
    ("logs-insights-queries", r"@maxMemoryUsed.*by @log.*`#`", r"@memoryUsed"),
    ("xray-sampling", r"one request a second and 5%.*does not switch tracing off", r"configure the rate"),
    ("pc-autoscaling-template", r"ScheduledActions.*has to name its target", r"ScaleOutSchedule"),
    ("sfn-optimistic-integrations", r"optimized integration.*SDK integration", r"optimistic"),
    ("q-sqs-standard-vs-fifo", r"by default, far more in high-throughput mode.*no shards", r"per shard"),
    ("q-idempotency-powertools", r"`IdempotencyConfig`.*no promise of exactly once", r"\bruns exactly once"),
    ("q-100k-uploads", r"About six.*ApproximateNumberOfMessagesVisible", r"3 to 5"),
    ("snapstart-java-sample", r"org\.crac\.Resource.*Core", r"CRaCInterface"),
    ("snapstart-securerandom", r"SecureRandom`: it stays unique", r"generateSeed"),
    ("powertools-logger", r"a handler that takes `context`", r"Lambda Powertools"),
    ("powertools-appconfig", r"transform: 'json'.*no `getJSON`", r"provider\.getJSON"),
    ("s3-select", r"closed to new customers", r"is the way"),
    ("eventbridge-schedule-or-pattern", r"EventBridge Scheduler.*legacy", r"a rule with a cron"),
    ("eventbridge-rules", r"For times of day use EventBridge Scheduler", r"rate\("),
    ("lambda-async-destinations", r"S3 is for failures only.*standard ones", r"FIFO queue or"),
    ("lambda-billing-actual-execution", r"August 2025 the INIT phase", r"only for the handler"),
    ("lambda-zip-vs-image", r"deprecation dates", r"nodejs(18|20)\.x"),
    ("lambda-layers-sam", r"ages: look it up", r"nodejs20\.x"),
    ("xray-sdk-code", r"maintenance since 25 February 2026.*reached its end", r"captureAWS is"),
    ("lambda-edge-table", r"50 MB of package and 30 s on all four", r"1 MB and 5 s on viewer"),
    ("q-edge-vs-cff", r"if it needs no network: AWS names tokens", r"always Lambda@Edge"),
    ("cloudfront-functions-table", r"cloudfront-js-2\.0.*key-value store.*no limit of 1 ms", r"ES ?5\.1 only"),
    ("function-url-vs-apigw", r"November 2025 a REST API.*HTTP APIs cannot", r"API Gateway buffers"),
]


@pytest.mark.parametrize(("card", "says", "not_says"), ERRATA, ids=[entry[0] for entry in ERRATA])
def test_a_common_error_is_corrected(card, says, not_says):
    taught = f"{CARDS[card].answer} {CARDS[card].why}"
    assert re.search(says, taught), taught
    assert not re.search(not_says, taught), taught


UNKNOWN = ("lambda-firecracker-125ms", "lambda-idle-5-15-min", "lambda-image-cache", "lambda-power-tuning", "nat-price")


@pytest.mark.parametrize("card", UNKNOWN)
def test_what_nobody_documents_is_said_to_be_unknown(card):
    assert CARDS[card].unknown


def test_the_new_exam_is_the_default_from_december():
    assert exam_on(EXAMS, date(2026, 11, 30)).name == "DVA-C02"
    assert exam_on(EXAMS, date(2026, 12, 1)).name == "DVA-C03"
    assert exam_on(EXAMS, date(2027, 5, 1)).name == "DVA-C03"


def test_every_skill_of_the_old_exam_is_continued():
    old = {skill.id for skill in EXAMS["DVA-C02"].skill}
    assert old == {skill for new in EXAMS["DVA-C03"].skill for skill in new.continues}


def test_there_are_questions_enough_in_every_domain():
    domains = {skill.id: skill.domain for skill in EXAMS["DVA-C03"].skill}
    counts = dict.fromkeys((domain.id for domain in EXAMS["DVA-C03"].domain), 0)
    for question in QUESTIONS.values():
        for domain in {domains[skill] for skill in question.skills if skill in domains}:
            counts[domain] += 1
    assert len(QUESTIONS) >= 130 and min(counts.values()) >= 10, counts


def test_no_question_rests_on_a_price():
    for question in QUESTIONS.values():
        said = " ".join([question.text, *(option.text for option in question.option)])
        assert not re.search(r"[$€]\s?\d|\d\s?(USD|cents?)\b", said), question.id


def test_single_and_multiple_responses():
    chosen = {question.choose for question in QUESTIONS.values()}
    assert {1, 2} <= chosen
    for question in QUESTIONS.values():
        said = re.search(r"\(Choose (two|three)\.\)", question.text)
        assert question.choose == ({"two": 2, "three": 3}[said.group(1)] if said else 1), question.id


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ('[[card]]\nid = "x"\n', "situation: Field required"),
        ("[[card]\n", "not valid TOML"),
        ('[[card]]\nid = "X y"\n', "id: String should match"),
    ],
)
def test_a_malformed_card_gets_a_sentence(tmp_path, broken, said):
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "one.toml").write_text(broken)
    (tmp_path / "course.toml").write_text("labs = []\n")
    with pytest.raises(CourseError, match=r"one\.toml") as error:
        load_cards(find_course(tmp_path))
    assert re.search(said, str(error.value))
