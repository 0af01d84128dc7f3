"""Lab 01: what the callers of `live` get, before a release, during one and after it.

The versions that callers meet here are the checks' own code, which says in each answer what it is. The function is
released to three times: a good candidate, the same code with a setting that makes one answer fail, and code that
always fails. What was seen on the way is kept, and several claims rest on it.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from cloudkata.checking import Called, Folder, NotAsExpected, check, expect
from cloudkata.checking.chance import fitting

SHARE = 0.1  # that a candidate gets
ANSWERS = 20  # of a candidate, that decide about it
THREADS = 8
CALLS = 38 * THREADS  # of the callers, while a candidate has its share
ALARM = 1e-6  # the chance at most that a right share is called wrong
FITTING = fitting(CALLS, SHARE, ALARM)
FEW = 10  # calls of callers one by one
LATER = 16  # calls after a release; that no weight is left is read as well
RELEASE_SECONDS = 15.0  # for a release at least, where calls are quick
RELEASE_CALLS = 2000  # otherwise as long as so many calls take, one by one: ten times as many as are to be expected
LOOK_SECONDS = 0.005
RAMP_SECONDS = 0.02
UPDATE_SECONDS, UPDATED_SECONDS = 0.03, 60.0  # between two looks at an update, and for it at most
SAMPLES = 3  # tries to look at an alias that nobody changes meanwhile
TONE = "KATA_TONE"  # a setting of the function that only the checks know
PROVISIONED = "provisioned-concurrency"

CODE = """
import os
import time

MARK, ALWAYS_FAILS = {mark!r}, {fails!r}
TONE = os.environ.get("KATA_TONE", "")
asked = 0
if {slow}:  # so that there is time to look at its share
    time.sleep(0.05)


def {handler}(event, context):
    global asked
    if "ask" in event:
        asked += 1
        print("asked", event["ask"], MARK, context.invoked_function_arn, flush=True)
        if TONE.endswith("!") and asked == 2:
            raise RuntimeError("this setting fails once")
    if ALWAYS_FAILS:
        raise RuntimeError("this code always fails")
    start = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE")
    return {{"mark": MARK, "tone": TONE, "version": context.function_version, "start": start}}
"""


@dataclass(frozen=True)
class Answer:
    """What one call came to: the version by the service's word, and what the code said of itself, or an error."""

    version: str
    mark: str = ""
    tone: str = ""
    own_version: str = ""
    start: str = ""
    error: str = ""

    def __str__(self) -> str:
        said = self.error or (f"code {self.mark}, setting {self.tone or 'none'}" if self.mark else "other code")
        return f"version {self.version}: {said}" if self.version else said


@dataclass
class Trial:
    """One release as it was seen from outside. `during` is the alias with a weight, `split` the calls meanwhile."""

    called: Called
    word: str  # in the event that release() was given
    mark: str
    tone: str
    old: str
    made: list[str] = field(default_factory=list)  # versions that were not there before, oldest first
    during: dict | None = None
    split: list[Answer] = field(default_factory=list)
    after: dict | None = None
    later: list[Answer] = field(default_factory=list)
    provisioned: str = ""  # what became of it: READY, another status, or an error's code

    @property
    def candidate(self) -> str:
        """The version that was on trial: the one that got a share, or else the newest that was made."""
        named = {self.during["FunctionVersion"], *weights(self.during)} - {self.old} if self.during else set()
        return named.pop() if len(named) == 1 else self.made[-1] if self.made else ""


def weights(alias: dict) -> dict[str, float]:
    return dict((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})


def share_of(version: str, alias: dict) -> float:
    """The share of the calls that an alias gives to a version."""
    shared = weights(alias)
    return 1 - sum(shared.values()) if alias["FunctionVersion"] == version else shared.get(version, 0.0)


def shown(alias: dict | None) -> str:
    if alias is None:
        return "there is no alias live"
    shared = "".join(f", a weight of {weight:g} for version {v}" for v, weight in weights(alias).items())
    return f"live: version {alias['FunctionVersion']}{shared or ', no weights'}"


def tally(answers: list[Answer]) -> str:
    return "; ".join(f"{count} times {what}" for what, count in Counter(map(str, answers)).most_common(4))


class Function:
    """The learner's function, seen and changed with the checks' own keys."""

    def __init__(self, lab) -> None:
        self._lab = lab
        self.client = lab.client("lambda")
        self.name = lab.outputs["FunctionName"]
        self.arn = lab.outputs["AliasArn"]

    # --- looking ----------------------------------------------------------------------------------------------

    def settings(self, version: str = "$LATEST") -> dict:
        found = self.client.get_function_configuration(FunctionName=self.name, Qualifier=version)
        return {
            "CodeSha256": found["CodeSha256"],
            "Handler": found["Handler"],
            "Environment": found.get("Environment", {}).get("Variables", {}),
            **{name: found.get(name) for name in ("Runtime", "Timeout", "MemorySize", "Role")},
        }

    def versions(self) -> list[str]:
        """The numbers of the published versions, oldest first."""
        pages = self.client.get_paginator("list_versions_by_function").paginate(FunctionName=self.name)
        found = [entry["Version"] for page in pages for entry in page["Versions"]]
        return sorted((number for number in found if number.isdigit()), key=int)

    def alias(self) -> dict | None:
        try:
            found = self.client.get_alias(FunctionName=self.name, Name="live")
        except self.client.exceptions.ResourceNotFoundException:
            return None
        del found["ResponseMetadata"]
        return found

    def call(self, target: str, event: dict | None = None) -> Answer:
        """Call a version by its number, or an ARN as it is."""
        where = {"FunctionName": target} if ":" in target else {"FunctionName": self.name, "Qualifier": target}
        try:
            reply = self.client.invoke(**where, Payload=json.dumps(event or {"name": "Ada"}))
        except ClientError as error:
            return Answer("", error=error.response["Error"]["Code"])
        body = json.loads(reply["Payload"].read() or "null")
        body = body if isinstance(body, dict) else {}
        version = reply.get("ExecutedVersion", "")
        if reply.get("FunctionError"):
            return Answer(version, error=f"{body.get('errorType')}: {body.get('errorMessage')}"[:200])
        if not str(body.get("mark", "")).startswith("kata-"):
            return Answer(version)
        return Answer(version, body["mark"], body["tone"], body["version"], body["start"])

    def calls(self, count: int, threads: int = 1) -> list[Answer]:
        """As many callers' calls, by the ARN that they were given.

        The callers start one after the other: calls that all come at once make each of them a new environment.
        """

        def caller(number: int) -> list[Answer]:
            time.sleep(number * RAMP_SECONDS)
            return [self.call(self.arn) for _ in range(count // threads)]

        with ThreadPoolExecutor(threads) as pool:
            return [answer for said in pool.map(caller, range(threads)) for answer in said]

    def patience(self) -> int:
        """Seconds that a release may take, by how long a call takes here."""
        return self._lab.once("patience", self._patience)

    def _patience(self) -> int:
        took = []
        for _ in range(FEW):
            began = time.monotonic()
            self.call(self.arn)
            took.append(time.monotonic() - began)
        return round(max(RELEASE_SECONDS, RELEASE_CALLS * statistics.median(took)))

    def asked(self, word: str, mark: str) -> list[str]:
        """The ARNs by which an event with this word reached code with this mark, from the function's log."""
        config = self.client.get_function_configuration(FunctionName=self.name)
        group = config.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{self.name}"
        pages = self._lab.client("logs").get_paginator("filter_log_events")
        try:
            events = [e for page in pages.paginate(logGroupName=group, filterPattern=word) for e in page["events"]]
        except ClientError:
            return []
        found = [event["message"].split() for event in events]
        return [words[3] for words in found if words[:3] == ["asked", word, mark]]

    # --- changing ---------------------------------------------------------------------------------------------

    def folder(self, mark: str, fails: bool = False, slow: bool = False) -> Folder:
        """The checks' code, as a folder that fits the function's handler."""
        module, _, handler = self.settings()["Handler"].rpartition(".")
        return Folder(
            {f"{module.replace('.', '/')}.py": CODE.format(mark=mark, fails=fails, slow=slow, handler=handler)}
        )

    def upload(self, folder: Folder) -> None:
        import io
        import zipfile

        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, text in folder.files.items():
                archive.writestr(name, text)
        self.client.update_function_code(FunctionName=self.name, ZipFile=buffer.getvalue())
        self.updated()

    def set(self, tone: str) -> None:
        """Change a setting of the function, beside those it has."""
        self.updated()
        there = self.settings()["Environment"]
        if there.get(TONE) == tone:
            return
        variables = {**there, TONE: tone}
        self.client.update_function_configuration(FunctionName=self.name, Environment={"Variables": variables})
        self.updated()

    def updated(self) -> None:
        """Wait until no update is in progress."""

        patience = {"Delay": UPDATE_SECONDS, "MaxAttempts": int(UPDATED_SECONDS / UPDATE_SECONDS)}
        self.client.get_waiter("function_updated_v2").wait(FunctionName=self.name, WaiterConfig=patience)

    def point(self, version: str) -> None:
        """Let `live` be `version` alone, whatever a release has left."""
        found = self.alias()
        if found is None:
            self.client.create_alias(FunctionName=self.name, Name="live", FunctionVersion=version)
        elif found["FunctionVersion"] != version or weights(found):
            self.client.update_alias(
                FunctionName=self.name,
                Name="live",
                FunctionVersion=version,
                RoutingConfig={"AdditionalVersionWeights": {}},
            )


# --- what is done once ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deployed:
    """The function as deploy.py left it, and what $LATEST became when both code and setting were changed.

    `old` is a version of the changed code without the setting, for `live` to be at before a release.
    """

    versions: list[str]
    latest: dict
    newest: dict  # settings of the newest version
    alias: dict
    first: Answer  # of the newest version, before the change
    old: str
    mark: str
    tone: str


def deployed(lab) -> Deployed:
    def look() -> Deployed:
        function = Function(lab)
        versions, latest, alias = function.versions(), function.settings(), function.alias()
        newest = function.settings(versions[-1]) if versions else {}
        first = function.call(versions[-1]) if versions else Answer("")
        mark, tone = f"kata-{lab.draw.word()}", lab.draw.word()
        function.updated()
        function.upload(function.folder(mark))
        old = function.client.publish_version(FunctionName=function.name)["Version"]
        function.set(tone)
        return Deployed(versions, latest, newest, alias or {"FunctionVersion": ""}, first, old, mark, tone)

    return lab.once("deployed", look)


def good_release(lab) -> Trial:
    """The release of a good candidate, watched by callers; before it, `live` is code and setting of the checks."""

    def release() -> Trial:
        before, function, caller = deployed(lab), Function(lab), lab.own_caller
        old, tone, mark, word = before.old, before.tone, f"kata-{lab.draw.word()}", lab.draw.word()
        function.point(old)
        provision(function)
        there, seconds = set(function.versions()), function.patience()
        with ThreadPoolExecutor(1) as pool:
            folder = function.folder(mark, slow=True)
            event = {"ask": word, "name": lab.draw.word()}
            running = pool.submit(caller.call, "release", folder, event, seconds=seconds)
            during, split = watch(function, caller, running)
            trial = Trial(running.result(), word, mark, tone, old, during=during, split=split)
        trial.made = [number for number in function.versions() if number not in there]
        trial.after = function.alias()
        trial.later = function.calls(LATER, 2)
        trial.provisioned = await_provisioned(lab, function)
        trial.later += function.calls(3)
        unprovision(function)
        return trial

    return lab.once("good release", release)


def watch(function: Function, caller, running) -> tuple[dict | None, list[Answer]]:
    """Wait for a weight, stop the release there, and let the callers call: (the alias meanwhile, their answers)."""
    while not running.done():
        found = function.alias()
        if not found or not weights(found):
            time.sleep(LOOK_SECONDS)
            continue
        with caller.paused():
            for _ in range(SAMPLES):
                found = function.alias()
                if not found or not weights(found):
                    break  # it had gone on already
                answers = function.calls(CALLS, THREADS)
                if function.alias() == found:
                    return found, answers
    return None, []


def provision(function: Function) -> None:
    try:
        function.client.put_provisioned_concurrency_config(
            FunctionName=function.name, Qualifier="live", ProvisionedConcurrentExecutions=1
        )
    except ClientError:
        pass  # a target without it: the check that needs it is not run there


def unprovision(function: Function) -> None:
    try:
        function.client.delete_provisioned_concurrency_config(FunctionName=function.name, Qualifier="live")
    except ClientError:
        pass


def await_provisioned(lab, function: Function) -> str:
    """What became of it: a status, or the code of an error. That it takes too long is not the learner's fault."""

    def status() -> str:
        config = {"FunctionName": function.name, "Qualifier": "live"}
        try:
            found = function.client.get_provisioned_concurrency_config(**config)["Status"]
        except ClientError as error:
            return error.response["Error"]["Code"]
        expect("the status", found).meets(found != "IN_PROGRESS", "decided", why="Environments take a while to start.")
        return found

    try:
        return lab.eventually(status, within="poll")
    except NotAsExpected as error:
        raise TimeoutError("provisioned concurrency was in progress for too long") from error


def bad_release(lab, name: str, *, setting: bool) -> Trial:
    """A release that must not stay: of the code that is live with a bad setting, or of code that always fails."""

    def release() -> Trial:
        good, function = good_release(lab), Function(lab)
        old = good.candidate
        function.point(old)
        mark, tone = (good.mark, f"{lab.draw.word()}!") if setting else (f"kata-{lab.draw.word()}", good.tone)
        function.set(tone)
        trial = Trial(Called(None), lab.draw.word(), mark, tone, old)
        if setting:
            trial.split = function.calls(FEW)  # before the release: the setting alone
        there = set(function.versions())
        folder, event = (
            function.folder(mark, fails=not setting, slow=setting),
            {"ask": trial.word, "name": lab.draw.word()},
        )
        seconds = function.patience()
        if good.called.lost:  # nobody wants to wait for it as long again
            seconds = round(seconds / 5)
        trial.called = lab.call("release", folder, event, seconds=seconds)
        trial.made = [number for number in function.versions() if number not in there]
        trial.after = function.alias()
        trial.later = function.calls(LATER, 2)
        return trial

    return lab.once(name, release)


def failing_code(lab) -> Trial:
    return bad_release(lab, "failing code", setting=False)


def failing_setting(lab) -> Trial:
    return bad_release(lab, "failing setting", setting=True)


def returned(trial: Trial, value: str, why: str) -> None:
    """What release() said, or what went wrong in it and where."""
    said = failure(trial.called)
    if trial.called.kind == "TimeoutError":
        why = "It goes on asking. Does it know the candidate's answers? ExecutedVersion is a text, as Version is."
    expect("release(lab, folder, event)", said).meets(not said, f"an answer, {value!r}", why=why)
    expect("release(lab, folder, event)", trial.called.value).equals(value, why=why)


def failure(called: Called) -> str:
    """What went wrong in release(), and in which line; "" if nothing did."""
    return called.error + "".join(f"; {at.file}, line {at.line}: {at.source}" for at in called.frames[-1:])


def published_nothing(trial: Trial, why: str) -> None:
    said = failure(trial.called) or f"none; release(lab, folder, event) returned {trial.called.value!r}"
    expect("versions that the release made", said).meets(False, "one at least", why=why)


def all_to(trial: Trial, version: str, mark: str, tone: str, why: str) -> None:
    """After the release, all callers get one version, which is the code and setting it was published with."""
    expected = [Answer(version, mark, tone, version)]
    seen = {Answer(a.version, a.mark, a.tone, a.own_version, error=a.error) for a in trial.later}
    expect(f"{len(trial.later)} calls after it", tally(trial.later)).meets(
        list(seen) == expected, f"all of them {expected[0]}", why=why
    )
    expect("the alias after it", shown(trial.after)).equals(f"live: version {version}, no weights", why=why)


# --- publish, alias ---------------------------------------------------------------------------------------------------


@check(task="publish", cards=["lambda-alias-stable-target", "lambda-env-vars"])
def test_publishes_what_was_deployed(lab):
    """What deploy.py deploys is published: a version with that code and those settings, whatever changes later."""
    function, found = Function(lab), deployed(lab)
    expect("published versions after deploy.py", found.versions).meets(
        bool(found.versions), "one at least", why="$LATEST is no version: it is what the next upload overwrites."
    )
    for name, value in found.latest.items():
        expect(f"{name} of version {found.versions[-1]}", found.newest[name]).equals(
            value, why="A version keeps the code and the settings of the moment it was published: change them before."
        )
    expect(f"the answer of version {found.versions[-1]}", str(found.first)).meets(
        not found.first.error, "no error", why="What is published has to work."
    )
    expect("$LATEST after an upload and a change of a setting", str(function.call("$LATEST"))).equals(
        str(Answer("$LATEST", found.mark, found.tone)), why="The unpublished version has both changes."
    )
    now = function.call(found.versions[-1])
    expect(f"version {found.versions[-1]} after that", str(now)).equals(
        str(Answer(found.versions[-1])), why="A published version never changes."
    )
    expect(f"settings of version {found.versions[-1]} after that", function.settings(found.versions[-1])).equals(
        found.newest, why="A published version never changes."
    )


@check(task="alias", cards=["lambda-alias-stable-target"])
def test_callers_get_a_published_version(lab):
    """Callers of the alias get a version with a number, and never $LATEST, when code and settings are changed."""
    function, found = Function(lab), deployed(lab)
    expect("the function of the alias", function.arn.split(":")[6]).equals(
        function.name, why="The alias is one of the function that is released to."
    )
    expect("$LATEST after an upload and a change of a setting", str(function.call("$LATEST"))).equals(
        str(Answer("$LATEST", found.mark, found.tone)), why="The unpublished version has both changes."
    )
    answers = function.calls(FEW)
    version = found.alias["FunctionVersion"]
    reached = sorted({answer.version or answer.error for answer in answers})
    expect("the versions that callers of the alias reach", reached).meets(
        reached == [version] and version.isdigit(),
        "one published version, the one that deploy.py let the alias name",
        why="An alias of $LATEST gives callers each upload at once, tried or not.",
    )
    expect(f"{len(answers)} calls of the alias", tally(answers)).meets(
        not any(answer.mark or answer.error for answer in answers),
        "answers of the code that deploy.py deployed",
        why="Callers get a change when the alias is moved, and not before.",
    )


# --- configure --------------------------------------------------------------------------------------------------------


@check(task="configure", after=["01.callers-get-a-published-version"], cards=["lambda-alias-stable-target"])
def test_makes_a_version_of_code_and_settings(lab):
    """A release publishes the code in its folder and the settings of that time as a version of its own."""
    function, good = Function(lab), good_release(lab)
    why = "An update takes a while, and until it is over nothing can be published: wait, then publish."
    if not good.made:
        published_nothing(good, why)
    expect(f"version {good.candidate}", str(function.call(good.candidate))).equals(
        str(Answer(good.candidate, good.mark, good.tone)),
        why="A version is code and settings together, as they were when it was published.",
    )
    bad = failing_code(lab)
    if not bad.made:  # whoever does not wait is in luck at times, but hardly twice
        published_nothing(bad, why)
    said = [str(function.call(number)) for number in bad.made]
    expect("the versions made by a release of code that always fails", "; ".join(said)).contains(
        "this code always fails", why="Each release makes a version of the code that it is given."
    )


# --- canary -----------------------------------------------------------------------------------------------------------


@check(
    task="canary",
    needs=["lambda.weighted-alias", "lambda.alias-updates"],
    after=["01.makes-a-version-of-code-and-settings"],
)
def test_a_tenth_reaches_the_candidate(lab):
    """While a candidate is on trial, it gets a tenth of the callers' calls, and the old version all others."""
    trial, why = good_release(lab), "A tenth of the callers is enough to see a fault, and few enough to bear it."
    if trial.during is None:
        expect("the alias while release() runs", "no weight was ever there").meets(
            False, "a second version with a weight", why=why
        )
    hits = sum(answer.version == trial.candidate for answer in trial.split)
    expect(f"calls that reach the candidate, of {CALLS} by {THREADS} callers at once", hits).meets(
        hits in FITTING, f"{FITTING.start} to {FITTING.stop - 1}, as a tenth gives", why=why
    )
    share = share_of(trial.candidate, trial.during)
    expect("the alias while release() runs", shown(trial.during)).meets(
        abs(share - SHARE) < 1e-9, f"a share of {SHARE:g} for the candidate, version {trial.candidate}", why=why
    )
    before = deployed(lab)
    known = {(trial.old, before.mark, ""), (trial.candidate, trial.mark, trial.tone)}
    strange = [a for a in trial.split if (a.version, a.mark, a.tone) not in known or a.own_version != a.version]
    expect("answers of the callers that are neither the old version's nor the candidate's", tally(strange)).meets(
        not strange, "none", why="The header names the version that ran, and callers meet these two only."
    )


@check(
    task="canary",
    needs=["lambda.weighted-alias", "lambda.alias-updates"],
    after=["01.makes-a-version-of-code-and-settings"],
)
def test_asks_until_the_candidate_has_answered_twenty_times(lab):
    """The event is sent through the alias until the candidate itself has answered it twenty times."""
    function, trial = Function(lab), good_release(lab)

    def answered():
        through = [arn for arn in function.asked(trial.word, trial.mark) if arn == function.arn]
        expect("answers of the candidate to the event, as its log has them", len(through)).meets(
            len(through) >= ANSWERS,
            f"{ANSWERS} at least that came through the alias",
            why=f"Of {ANSWERS} calls two reach the candidate, of a direct call no caller ever does: count its answers.",
        )

    lab.eventually(answered, within="propagation")


# --- decide -----------------------------------------------------------------------------------------------------------


@check(
    task="decide",
    needs=["lambda.weighted-alias", "lambda.alias-updates"],
    after=["01.makes-a-version-of-code-and-settings"],
)
def test_promotes_a_good_candidate(lab):
    """A candidate that answers well is promoted: all later calls go to it, and no weight is left."""
    trial, why = good_release(lab), "A promoted version is the one that the alias names, alone."
    returned(trial, "promoted", why)
    all_to(trial, trial.candidate, trial.mark, trial.tone, why)


@check(task="decide", after=["01.promotes-a-good-candidate"], cards=["lambda-alias-stable-target"])
def test_keeps_the_old_version(lab):
    """After a promotion the old version is still there, and answers with its old code and its old settings."""
    function, trial, before = Function(lab), good_release(lab), deployed(lab)
    expect(f"version {trial.candidate}, which was promoted", str(function.call(trial.candidate))).equals(
        str(Answer(trial.candidate, trial.mark, trial.tone)), why="It is what callers get now."
    )
    expect(f"version {trial.old}, which was live before", str(function.call(trial.old))).equals(
        str(Answer(trial.old, before.mark)),
        why="It is the way back: a fault may show tomorrow, and then the alias has to have somewhere to go.",
    )


@check(
    task="decide",
    needs=["lambda.provisioned-concurrency"],
    after=["01.promotes-a-good-candidate"],
    cards=["lambda-provisioned-concurrency"],
)
def test_keeps_what_is_provisioned_for_live(lab):
    """Environments that were provisioned for the alias serve its callers after a promotion too."""
    trial = good_release(lab)
    why = "It belongs to the alias and moves with it; an alias that is deleted and made again has lost it."
    expect("provisioned concurrency of live after the release", trial.provisioned).equals("READY", why=why)
    starts = sorted({answer.start for answer in trial.later[LATER:]})
    expect("how the environments were started that answer calls one by one", starts).equals([PROVISIONED], why=why)


@check(
    task="decide",
    needs=["lambda.weighted-alias"],
    after=["01.asks-until-the-candidate-has-answered-twenty-times"],
)
def test_rolls_back_a_failing_candidate(lab):
    """A candidate that fails is rolled back: all later calls go to the old version, and no weight is left."""
    good, trial = good_release(lab), failing_code(lab)
    why = "Callers must be where they were: at the very version that worked, with nothing left for the other."
    returned(trial, "rolled back", "Lambda's answer to a failed call is a 200 as well: FunctionError tells.")
    all_to(trial, good.candidate, good.mark, good.tone, why)


@check(
    task="configure",
    after=["01.makes-a-version-of-code-and-settings"],
    cards=["lambda-env-vars"],
)
def test_a_changed_setting_goes_live_as_a_version(lab):
    """A changed setting reaches callers as a version of its own, on trial like any other, and not before."""
    function, good, trial = Function(lab), good_release(lab), failing_setting(lab)
    expect(f"$LATEST with {TONE} set to {trial.tone}", function.settings()["Environment"].get(TONE)).equals(
        trial.tone, why="The setting has been changed."
    )
    seen = [answer for answer in trial.split if (answer.version, answer.tone) != (good.candidate, good.tone)]
    expect(f"answers of live with the new setting, of {len(trial.split)}", tally(seen)).meets(
        not seen, "none", why="A published version keeps its settings."
    )
    made = {number: function.settings(number)["Environment"].get(TONE) for number in trial.made}
    expect("versions made by a release of the same code, and their setting", made).meets(
        trial.tone in made.values(),
        f"one with {trial.tone!r}",
        why="A setting is part of a version: callers get it with the next one, even if the code is the same.",
    )
    expect(f"version {good.candidate} after that", str(function.call(good.candidate))).equals(
        str(Answer(good.candidate, good.mark, good.tone)), why="A published version keeps its settings."
    )


@check(
    task="decide",
    needs=["lambda.weighted-alias"],
    after=[
        "01.asks-until-the-candidate-has-answered-twenty-times",
        "01.a-changed-setting-goes-live-as-a-version",
    ],
)
def test_one_failure_is_enough(lab):
    """A candidate that fails once among good answers is rolled back; here the code is the same, and a setting fails."""
    good, trial = good_release(lab), failing_setting(lab)
    why = "A fault that shows once in twenty answers is one in twenty of all callers."
    returned(trial, "rolled back", why)
    all_to(trial, good.candidate, good.mark, good.tone, why)
