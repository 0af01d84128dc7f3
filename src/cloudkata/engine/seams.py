"""The one place that assigns to an attribute of MiniStack.

Each seam is listed once, with a hash of the source it was written against. Behaviours register hooks on a seam,
in a stated order; a hook is called as hook(original, *args, **kwargs) and decides whether to go on to `original`.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import inspect
import operator
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType


class SeamError(Exception):
    """MiniStack is not the code that a seam was written against."""


@dataclass(frozen=True)
class Seam:
    """An attribute of a MiniStack module, or of an object in one, and the first 12 hex digits of its source's SHA-256.

    "module" stands for a module that MiniStack imported, "library" for what belongs to Python itself. A value that is
    neither is known by its class.
    """

    module: str
    attribute: str
    source: str

    @property
    def name(self) -> str:
        return f"{self.module}:{self.attribute}"

    def place(self) -> tuple[object, str]:
        """What holds the value, and under which attribute. Raises ImportError or AttributeError."""
        holder, _, attribute = self.attribute.rpartition(".")
        module = importlib.import_module(self.module)
        return operator.attrgetter(holder)(module) if holder else module, attribute

    def value(self):
        """What stands there now. Raises ImportError or AttributeError."""
        return getattr(*self.place())


_LAMBDA = "ministack.services.lambda_svc"
_RUNTIME = "ministack.core.lambda_runtime"
_COGNITO = "ministack.services.cognito"
_CLOUDFRONT = "ministack.services.cloudfront"
_KINESIS = "ministack.services.kinesis"
_STATES = "ministack.services.stepfunctions"
_REST_API = "ministack.services.apigateway_v1"
_HTTP_API = "ministack.services.apigateway"

SEAMS = {
    seam.name: seam
    for seam in (
        Seam("ministack.core.iam_actions", "extract_iam_action", "ec476b92d969"),
        Seam("ministack.core.iam_actions", "extract_resource_arn", "82f51700695c"),
        Seam("ministack.core.iam_actions", "request_tag_context", "d46adb816e02"),
        Seam("ministack.core.iam_evaluator", "enforce", "cf64b1ee5b09"),
        Seam("ministack.core.iam_evaluator", "evaluate_trust_policy", "4b50aa29ad29"),
        Seam(_RUNTIME, "_worker_class_for", "b5a23849280a"),
        Seam(_LAMBDA, "_execute_function", "3ceb16d6480a"),
        Seam(_LAMBDA, "_invoke", "ab193779e5c2"),
        Seam(_LAMBDA, "_create_function", "e307eecdf0d8"),
        Seam(_LAMBDA, "_update_code", "0998d118b422"),
        Seam(_LAMBDA, "_update_config", "6999cb0695da"),
        Seam(_LAMBDA, "_publish_version", "3bc240a8db5d"),
        Seam(_LAMBDA, "_create_alias", "2fca00d580eb"),
        Seam(_LAMBDA, "_update_alias", "0017f6b94b06"),
        Seam(_LAMBDA, "_get_function", "4d089b87a939"),
        Seam(_LAMBDA, "serve_function_code", "342a87e413d9"),
        Seam(_LAMBDA, "_get_func_record_for_qualifier", "a86e90478088"),
        Seam(_LAMBDA, "_put_provisioned_concurrency", "c9f084246ab9"),
        Seam(_LAMBDA, "_get_provisioned_concurrency", "e579a7415a6d"),
        Seam(_LAMBDA, "_delete_provisioned_concurrency", "fe70f5acfe35"),
        Seam(_LAMBDA, "_normalize_layer_attachments", "57c988ff3ed0"),
        Seam(_LAMBDA, "_schedule_state_transition", "f072b21e2fd9"),
        Seam(_LAMBDA, "invoke_async_with_retry", "289fe4d3cbd4"),
        Seam(_LAMBDA, "invalidate_worker", "1be5d7f769f5"),
        Seam(_LAMBDA, "_effective_func_record_for_qualifier", "9347cb8fd2dc"),
        Seam(_LAMBDA, "_get_function_config", "846856e3230f"),
        Seam(_LAMBDA, "_delete_alias", "425784b53106"),
        Seam(_LAMBDA, "_put_function_concurrency", "172358f9cb82"),
        Seam(_LAMBDA, "_resolve_cross_account_layer", "d0a74e0cff6e"),
        Seam(_LAMBDA, "_find_layer_version", "7b8933839b4f"),
        Seam(_LAMBDA, "_list_layer_versions", "9728d83890c0"),
        Seam(_LAMBDA, "_delete_layer_version", "b2380b560100"),
        Seam(_LAMBDA, "_publish_layer_version", "97ffcba3c959"),
        Seam(_LAMBDA, "_get_layer_version", "bc56f692fb30"),
        Seam(_LAMBDA, "_get_layer_version_by_arn", "bd1ccbb91ced"),
        Seam(_LAMBDA, "_ensure_poller", "a21371869881"),
        Seam(_LAMBDA, "_release_esm_poll_state", "780cf96ac7f8"),
        Seam(_LAMBDA, "_poll_kinesis", "0d590120d060"),
        Seam(_LAMBDA, "_poll_dynamodb_streams", "2b2460e933a9"),
        Seam(_LAMBDA, "_create_esm", "d351521bb6cd"),
        Seam(_LAMBDA, "_update_esm", "1b7e0409cb65"),
        Seam(_LAMBDA, "_delete_esm", "23854a6afd65"),
        Seam(_LAMBDA, "time", "module"),
        Seam("ministack.services.cloudformation.stacks", "_runs_on_worker_thread", "23955511141f"),
        Seam("ministack.services.cloudformation.provisioners", "_RESOURCE_HANDLERS", "library"),
        Seam("ministack.services.cloudformation.custom_resource", "_response_url", "e4ffdb252aec"),
        Seam(_REST_API, "_resources", "62c53f1c556e"),
        Seam(_REST_API, "_authorizers_v1", "62c53f1c556e"),
        Seam(_REST_API, "_models", "62c53f1c556e"),
        Seam(_REST_API, "_request_validators", "62c53f1c556e"),
        Seam(_REST_API, "_authorizer_cache", "library"),
        Seam(_REST_API, "handle_request", "5c8aba9f1a88"),
        Seam(_REST_API, "_execute_in_scope", "2ae72b7d5eb6"),
        Seam(_REST_API, "method_authorization_type", "52ee214fcf75"),
        Seam(_REST_API, "_create_deployment", "cf248c888e1f"),
        Seam(_REST_API, "_delete_deployment", "cb25e7c6f4f5"),
        Seam(_REST_API, "_create_authorizer", "058254eed2ae"),
        Seam(_REST_API, "_update_authorizer", "6aac7880bfb1"),
        Seam(_REST_API, "_validate_cognito_authorizer", "11c3eaecec67"),
        Seam(_REST_API, "_authorize_request_v1", "46b3fe37fe98"),
        Seam(_REST_API, "_invoke_authorizer_lambda", "5a7f4c427120"),
        Seam(_REST_API, "_call_lambda_raw", "a2df5d6c5b30"),
        Seam(_REST_API, "_invoke_lambda_proxy_v1", "5651a96fa7ba"),
        Seam(_REST_API, "_invoke_lambda_custom_v1", "79d47dae9d00"),
        Seam(_REST_API, "_invoke_mock_v1", "20f819eee1f9"),
        Seam(_HTTP_API, "_routes", "62c53f1c556e"),
        Seam(_HTTP_API, "_integrations", "62c53f1c556e"),
        Seam(_HTTP_API, "_authorizers", "62c53f1c556e"),
        Seam(_HTTP_API, "_authorizer_cache", "library"),
        Seam(_HTTP_API, "handle_request", "c8227527d626"),
        Seam(_HTTP_API, "_handle_execute_in_scope", "aa60b8b0dfaa"),
        Seam(_HTTP_API, "route_authorization_type", "b2e0fb975dfb"),
        Seam(_HTTP_API, "_create_deployment", "2620b8b7f04b"),
        Seam(_HTTP_API, "_delete_deployment", "4c76d86ac3de"),
        Seam(_HTTP_API, "_create_authorizer", "acfa0e4818fe"),
        Seam(_HTTP_API, "_update_authorizer", "065e471e0d40"),
        Seam(_HTTP_API, "_validate_jwt_authorizer", "b29aa12ec1dc"),
        Seam(_HTTP_API, "_invoke_request_authorizer_lambda", "185d9afad9dc"),
        Seam(_HTTP_API, "_invoke_lambda_proxy", "fbe5024fcd36"),
        Seam(_HTTP_API, "run_reentrant", "bd6c9a9940ab"),
        Seam(_CLOUDFRONT, "handle_viewer_request", "986c135cbc35"),
        Seam(_CLOUDFRONT, "_fetch_from_origin", "11c0079215ff"),
        Seam(_CLOUDFRONT, "_run_function", "209b3fc7c342"),
        Seam(_CLOUDFRONT, "handle_request", "ef0452b7158e"),
        Seam(_CLOUDFRONT, "_cf_create_function", "a779bccad540"),
        Seam(_CLOUDFRONT, "_cf_update_function", "74e6c5e66036"),
        Seam(_CLOUDFRONT, "_create_kvs", "8d384278429f"),
        Seam(_CLOUDFRONT, "_create_distribution", "d17e66f3ce16"),
        Seam(_CLOUDFRONT, "_update_distribution", "612916dcf4e2"),
        Seam(_CLOUDFRONT, "_create_invalidation", "801254ce5555"),
        Seam("ministack.services.s3", "serve_cloudfront_origin_fetch", "a0742d203d91"),
        Seam(_LAMBDA, "_poll_sqs", "e438a6a1e094"),
        Seam("ministack.core.concurrency", "esm_wake.set", "library"),
        Seam("ministack.services.sqs", "_dispatch", "6a429fdb61eb"),
        Seam("ministack.services.sqs", "time", "module"),
        Seam(_KINESIS, "time", "module"),
        Seam(_KINESIS, "_split_shard", "79e732074645"),
        Seam(_KINESIS, "_merge_shards", "4440fcd2a9bb"),
        Seam(_KINESIS, "_update_shard_count", "79b02ca7148f"),
        Seam(_KINESIS, "_route_to_shard", "e45cf7a2b758"),
        Seam(_KINESIS, "_expire_records", "9f3968926430"),
        Seam(_KINESIS, "_describe_stream", "ff430d580fb7"),
        Seam(_KINESIS, "_describe_stream_summary", "a63741b068a7"),
        Seam(_KINESIS, "_shard_out", "3124090ac60f"),
        Seam(_KINESIS, "_put_record", "010c2796f340"),
        Seam(_KINESIS, "_put_records", "e8f7755ae6b8"),
        Seam(_KINESIS, "_get_records", "b9eb8fa90228"),
        Seam(_KINESIS, "_get_shard_iterator", "720b89b08f26"),
        Seam("ministack.services.dynamodb", "time", "module"),
        Seam("ministack.services.stepfunctions", "time", "module"),
        Seam("ministack.services.stepfunctions", "now_iso", "f75b8f211421"),
        Seam(_STATES, "handle_request", "efa6e8c4532a"),
        Seam(_STATES, "_create_state_machine", "4bc1231dda69"),
        Seam(_STATES, "_update_state_machine", "476e0deee6a3"),
        Seam(_STATES, "_validate_state_machine_definition", "91730eff8585"),
        Seam(_STATES, "_start_execution", "9923282fc76c"),
        Seam(_STATES, "_start_sync_execution", "8600470a0208"),
        Seam("ministack.services.stepfunctions", "_sleep_until", "2738e0a4030c"),
        Seam("ministack.core.iam_evaluator", "resolve_principal", "b6c6131e24bf"),
        Seam(_COGNITO, "_run_idp_handler", "85681acebd62"),
        Seam(_COGNITO, "_run_identity_handler", "52283bef8691"),
        Seam(_COGNITO, "_apply_presignup_trigger", "3a8e61e0cad3"),
        Seam(_COGNITO, "_apply_pretoken_trigger", "3ea4dfabd7f5"),
        Seam(_COGNITO, "_apply_custom_message_trigger", "b0404daf9e7f"),
        Seam(_COGNITO, "_send_verification_email", "bceed599b45c"),
        Seam(_COGNITO, "_build_auth_result", "ff9c8d0d9f5a"),
        Seam("ministack.services.sts", "register_session", "a84ec986ec01"),
        Seam("ministack.services.sts", "_web_identity_trust_denied", "d9e237e9d6e9"),
    )
}


def _source_hash(value) -> str:
    if isinstance(value, ModuleType):
        return "module"
    if not inspect.isroutine(value) and not inspect.isclass(value):
        value = type(value)  # a store: known by its class
    if value.__module__.partition(".")[0] in sys.stdlib_module_names:
        return "library"
    return hashlib.sha256(inspect.getsource(inspect.unwrap(value)).encode()).hexdigest()[:12]


class Seams:
    """Collects hooks, then installs them all at once."""

    def __init__(self) -> None:
        self._hooks: dict[str, list[tuple[int, Callable]]] = {}
        self._values: dict[str, object] = {}

    def hook(self, name: str, hook: Callable, order: int = 50) -> None:
        """Wrap the function at the seam `name` ("module:attribute"); a lower order runs first, outermost."""
        self._hooks.setdefault(SEAMS[name].name, []).append((order, hook))

    def replace(self, name: str, value: object) -> None:
        """Put another value in the place of a module that MiniStack imported, or of one of its stores."""
        self._values[SEAMS[name].name] = value

    def install(self) -> list[str]:
        """Check every seam in use and assign it. Returns their names. Raises SeamError, before any assignment."""
        used = [*self._hooks, *self._values]
        originals = {}
        for name in used:
            seam = SEAMS[name]
            try:
                original = seam.value()
            except (ImportError, AttributeError) as error:
                raise SeamError(f"MiniStack has no {name} any more") from error
            if (found := _source_hash(original)) != seam.source:
                raise SeamError(f"MiniStack's {name} has changed (source {found}, expected {seam.source})")
            originals[name] = original
        for name, original in originals.items():
            composed = self._values.get(name, original)
            for _, hook in sorted(self._hooks.get(name, ()), key=lambda entry: entry[0], reverse=True):
                composed = functools.partial(hook, composed)
            setattr(*SEAMS[name].place(), composed)
        return used
