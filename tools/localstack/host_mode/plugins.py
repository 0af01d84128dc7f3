"""What LocalStack loads of this package, by the entry points in pyproject.toml."""

from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """Chosen with LAMBDA_RUNTIME_EXECUTOR=process."""

    name = "process"

    def load(self, *args, **kwargs):
        from host_mode.executor import ProcessExecutor

        return ProcessExecutor


@hooks.on_infra_start(priority=90)
def use_what_is_here():
    from host_mode.sources import use_what_is_here

    use_what_is_here()
