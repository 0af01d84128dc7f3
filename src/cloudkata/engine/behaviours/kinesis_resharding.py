"""Splitting and merging shards closes them and keeps their records readable; the stream is UPDATING for a while.

AWS documents (https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SplitShard.html,
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_MergeShards.html,
https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html): both are asynchronous, for
provisioned streams that are ACTIVE, else ResourceInUseException; reads and writes go on meanwhile; shards to merge have
adjacent ranges. The parent is closed: it takes no records, shows its last sequence number, and what it holds can be
read until it expires; at its end NextShardIterator is null and ChildShards names what follows
(https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html).

MiniStack deletes the parents with their records. They are put back, marked as closed, and its `_route_to_shard` only
sees open ones. UpdateShardCount is made of the same parts, in one step. How long a change takes is our choice.

Needs aws_clock and stream_mappings.
"""

from __future__ import annotations

import json

from cloudkata.engine.context import Context

CHANGE_SECONDS = 1.0  # of AWS time
_KINESIS = "ministack.services.kinesis:"
_CLOSED, _ENDING, _UPDATING = "kata_closed", "kata_ending", "kata_updating"


def register(context: Context) -> None:
    _reshard(context)
    _show(context)


def _open(stream: dict) -> dict:
    return {name: shard for name, shard in stream["shards"].items() if _CLOSED not in shard}


def _reshard(context: Context) -> None:
    from ministack.services import kinesis

    def refused(code: str, message: str) -> tuple:
        return kinesis.error_response_json(code, message, 400)

    def keeping(original, data: dict, names: tuple[str, ...]) -> tuple:
        """Let the original make the children of the shards in `names`, and keep those as closed."""
        name, stream = kinesis._resolve_stream(data)
        if not stream:
            return original(data)
        if stream.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND":
            return refused("ValidationException", f"Stream {name} is in the on-demand capacity mode.")
        now = context.clock.now()
        if stream.get(_UPDATING, 0) > now or stream["StreamStatus"] != "ACTIVE":
            return refused("ResourceInUseException", f"Stream {name} is being updated.")
        closed = [shard for shard in names if _CLOSED in stream["shards"].get(shard, ())]
        if closed:
            return refused("InvalidArgumentException", f"Shard {closed[0]} is closed.")
        before = dict(stream["shards"])
        answer = original(data)
        if answer[0] == 200:
            for shard, held in before.items():
                if shard not in stream["shards"]:
                    stream["shards"][shard] = held
                    held[_CLOSED], held[_ENDING] = now, kinesis._next_sequence_number()
            stream[_UPDATING] = now + CHANGE_SECONDS
        return answer

    def split(original, data):
        return keeping(original, data, (data.get("ShardToSplit"),))

    def merge(original, data):
        names = data.get("ShardToMerge"), data.get("AdjacentShardToMerge")
        _, stream = kinesis._resolve_stream(data)
        found = [(stream or {"shards": {}})["shards"].get(name) for name in names]
        if all(found):
            one, two = sorted(found, key=lambda shard: int(shard["starting_hash_key"]))
            if int(one["ending_hash_key"]) + 1 != int(two["starting_hash_key"]):
                return refused("InvalidArgumentException", f"Shards {names[0]} and {names[1]} are not adjacent.")
        return keeping(original, data, names)

    def count(original, data):
        _, stream = kinesis._resolve_stream(data)
        before = _open(stream) if stream else {}
        return keeping(lambda data: _recount(kinesis, stream, before, original, data), data, ())

    def route(original, hash_key, stream):
        return original(hash_key, {**stream, "shards": _open(stream)})

    def expire(original, stream):
        original(stream)
        oldest = context.clock.now() - 3600 * stream["RetentionPeriodHours"]
        for name, shard in list(stream["shards"].items()):
            if shard.get(_CLOSED, oldest) < oldest:
                del stream["shards"][name]

    context.seams.hook(_KINESIS + "_split_shard", split)
    context.seams.hook(_KINESIS + "_merge_shards", merge)
    context.seams.hook(_KINESIS + "_update_shard_count", count)
    context.seams.hook(_KINESIS + "_route_to_shard", route)
    context.seams.hook(_KINESIS + "_expire_records", expire)


def _recount(kinesis, stream: dict, before: dict, original, data: dict) -> tuple:
    """The original numbers new shards from nought and knows no parents: give them numbers and parents."""
    held, first = stream["shards"], kinesis._max_shard_index(stream) + 1
    answer = original(data)
    if answer[0] != 200:
        return answer
    fresh = kinesis._build_shards(int(data["TargetShardCount"]), first)
    for shard in fresh.values():
        start, end = int(shard["starting_hash_key"]), int(shard["ending_hash_key"])
        parents = [
            name
            for name, one in before.items()
            if int(one["starting_hash_key"]) <= end and start <= int(one["ending_hash_key"])
        ]
        shard["parent_shard_id"] = parents[0]
        shard["adjacent_parent_shard_id"] = parents[-1] if len(parents) > 1 else None
    stream["shards"] = fresh | {name: shard for name, shard in held.items() if _CLOSED in shard}
    return kinesis.json_response(json.loads(answer[2]) | {"CurrentShardCount": len(before)})


def _show(context: Context) -> None:
    from ministack.services import kinesis

    def shown(original, data):
        """UPDATING, and the number of open shards, in what describes a stream."""
        status, headers, body = original(data)
        _, stream = kinesis._resolve_stream(data)
        if status != 200 or stream is None:
            return status, headers, body
        answer = json.loads(body)
        (described,) = answer.values()
        if stream.get(_UPDATING, 0) > context.clock.now():
            described["StreamStatus"] = "UPDATING"
        if "OpenShardCount" in described:
            described["OpenShardCount"] = len(_open(stream))
        return kinesis.json_response(answer)

    def shard_out(original, name, shard):
        answer = original(name, shard)
        if _ENDING in shard:
            answer["SequenceNumberRange"]["EndingSequenceNumber"] = shard[_ENDING]
        return answer

    def records(original, data):
        state = kinesis._shard_iterators.get(data.get("ShardIterator"))
        status, headers, body = original(data)
        stream = kinesis._streams.get((state or {}).get("stream")) if status == 200 else None
        shard = (stream or {"shards": {}})["shards"].get((state or {}).get("shard_id")) or {}
        if _CLOSED not in shard:
            return status, headers, body
        answer = json.loads(body)
        after = kinesis._shard_iterators.get(answer["NextShardIterator"])
        if after["position"] < len(shard["records"]):
            return status, headers, body
        del answer["NextShardIterator"]
        answer["ChildShards"] = [_child(name, one) for name, one in stream["shards"].items()
                                 if state["shard_id"] in _parents(one)]  # fmt: skip
        return kinesis.json_response(answer)

    context.seams.hook(_KINESIS + "_describe_stream", shown)
    context.seams.hook(_KINESIS + "_describe_stream_summary", shown)
    context.seams.hook(_KINESIS + "_shard_out", shard_out)
    context.seams.hook(_KINESIS + "_get_records", records, order=60)


def _parents(shard: dict) -> list[str]:
    return [shard[name] for name in ("parent_shard_id", "adjacent_parent_shard_id") if shard.get(name)]


def _child(name: str, shard: dict) -> dict:
    ranges = {"StartingHashKey": shard["starting_hash_key"], "EndingHashKey": shard["ending_hash_key"]}
    return {"ShardId": name, "ParentShards": _parents(shard), "HashKeyRange": ranges}
