"""Runs the attempts of a cohort on a Dask cluster: the same attempts, only elsewhere.

A worker needs cloudkata and nothing else: no shared disk, no course folder. What it needs of both comes with each
attempt, the learner's code included. A worker that is lost has its attempts made again by another. That changes
nothing, since an attempt only returns a result, and only this process keeps any. The secret never leaves here.
"""

from __future__ import annotations

import io
import secrets
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from cloudkata.course import Course, CourseError
from cloudkata.engine.remote import EngineError
from cloudkata.grading.attempt import FAULT
from cloudkata.grading.cohort.admission import Admission, cores
from cloudkata.grading.cohort.intake import Submission, fingerprint
from cloudkata.grading.cohort.results import Result, Store, steady
from cloudkata.grading.cohort.run import TRIES, Patience, Plan, concluded, folder_in, prepared, scratch
from cloudkata.grading.cohort.secret import seed_of
from cloudkata.grading.cohort.supervise import Bounds, Ended, Job, supervise

_CONNECT_SECONDS = 20
_AHEAD = 2  # attempts at the cluster for each of its threads: what is sent is held in memory here and there
_RETRIES = 2
_LEAST_AHEAD = 4


def grade_there(
    plan: Plan, store: Store, todo: list[Submission], seen: Callable[[Result], None], scheduler: str
) -> None:
    """Grade `todo` on the cluster of `scheduler`; `seen` gets each result once it is kept.

    Raises CourseError without the libraries, and EngineError when the cluster does not answer.
    """
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise CourseError('--scheduler needs Dask: pip install "cloudkata[cohort]"') from error
    try:
        client = Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EngineError(f"there is no Dask scheduler at {scheduler}: {error}") from error
    with client, scratch() as place:
        course = pack_course(plan.course, plan.slug)
        left, futures, patience = iter(todo), {}, Patience()
        running, run = as_completed(loop=client.loop), secrets.token_hex(4)

        def send() -> bool:
            """Send the next submission that can be graded. Whether there was one."""
            for one in left:
                source = fingerprint(one)
                with folder_in(place) as own:
                    folder = prepared(plan, one, own)
                    if isinstance(folder, Result):
                        keep(replace(folder, source=source))
                        continue
                    code = pack(folder)
                seed = seed_of(plan.secret, one.name, plan.slug)
                future = client.submit(
                    attempt_elsewhere,
                    course,
                    code,
                    plan.slug,
                    seed,
                    plan.trust,
                    plan.bounds,
                    plan.module,
                    version("cloudkata"),
                    key=f"kata-{plan.slug}-{one.key}-{run}",
                    retries=_RETRIES,
                    pure=False,
                )
                futures[future.key] = one, source
                running.add(future)
                return True
            return False

        def keep(result: Result) -> None:
            store.put(result)
            seen(result)
            patience.seen(result)

        threads = sum(client.nthreads().values())
        for _ in range(max(_LEAST_AHEAD, threads * _AHEAD)):
            send()
        for future in running:
            one, source = futures.pop(future.key)
            if future.status == "finished":
                result = concluded(future.result(), one, plan.slug)
            else:
                result = Result(one.learner, one.key, plan.slug, FAULT, reason=steady(str(future.exception())))
            keep(replace(result, source=source))
            send()


def attempt_elsewhere(
    course: bytes, code: bytes, slug: str, seed: int, trust: bool, bounds: Bounds, module: str, wanted: str
) -> Ended:
    """On a worker: make an attempt in a process of its own. Only its end is returned, nothing is kept."""
    if (have := version("cloudkata")) != wanted:
        return Ended(wrong=f"this worker has cloudkata {have}, not {wanted}")
    bounds = replace(bounds, memory=Admission(cores()).share(bounds.memory))
    ended = Ended()
    for _ in range(TRIES):
        with scratch() as place:
            root, folder = place / "course", place / "submission"
            unpack_trusted(course, root)
            unpack_trusted(code, folder)
            ended = supervise(Job(str(root), slug, str(folder), seed, trust), place, bounds, module)
        if not ended.ours:
            break
    return ended


def pack_course(course: Course, slug: str) -> bytes:
    """What an attempt at one lab needs of a course: its checks and its description, not its solution."""
    files = {"course.toml": f'labs = ["{slug}"]\n'.encode()}
    for folder in (course.starter(slug), course.checks(slug)):
        for path in _files(folder):
            files[path.relative_to(course.root).as_posix()] = path.read_bytes()
    return _zipped(files)


def pack(folder: Path) -> bytes:
    """The files of a folder that prepare() made."""
    return _zipped({path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder)}, folder)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)


def _zipped(files: dict[str, bytes], folder: Path | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            mode = (folder / name).stat().st_mode if folder else 0o644
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def unpack_trusted(packed: bytes, root: Path) -> None:
    """Unpack what pack() made, readable for the user that a sandbox runs as."""
    root.mkdir(mode=0o755)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        for info in archive.infolist():
            target = root / info.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(info))
            target.chmod(info.external_attr >> 16 & 0o777 or 0o644)
    for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)
